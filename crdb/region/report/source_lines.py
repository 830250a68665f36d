"""The lines of INFO replication about the sources that an instance follows. Pure.

The first source has the fields in which Redis reports its master. Below them, each source has a
line with its state and lag (sections 11.4 and 20.3 of the specification).
"""

from __future__ import annotations

from collections.abc import Sequence

from crdb.engine.environment.follow_control import Address
from replication.follow.follower import SourceReport, SourceStatus

Lines = list[tuple[str, object]]


def source_lines(first: Address, reports: Sequence[SourceReport], offset: int) -> Lines:
    """Return the lines. `first` is the address of the first source, `offset` the number of effects
    that have been received."""
    host, port = first
    lost = [report for report in reports if report.status is SourceStatus.OUT_OF_SYNC]
    return [
        ("master_host", host),
        ("master_port", port),
        ("master_link_status", "down" if lost else "up"),
        ("master_last_io_seconds_ago", -1 if lost else silence_seconds(reports)),
        (
            "master_sync_in_progress",
            int(any(report.status is SourceStatus.SYNCING for report in reports)),
        ),
        *([("master_link_down_since_seconds", silence_seconds(lost))] if lost else ()),
        ("slave_repl_offset", offset),
        ("slave_priority", 100),
        ("slave_read_only", 1),
        *((f"source{number}", source_line(each)) for number, each in enumerate(reports)),
    ]


def silence_seconds(reports: Sequence[SourceReport]) -> int:
    """Return the longest time (s) since the last frame of a source; -1 if one has sent none."""
    heard = [report.last_io_ms for report in reports if report.last_io_ms is not None]
    return round(max(heard) / 1000) if len(heard) == len(reports) else -1


def source_line(report: SourceReport) -> str:
    """Return the line of one source, in the format of lists in INFO."""
    return (
        f"name={report.name},status={report.status.value},lag_ms={report.lag_ms:.0f},"
        f"ops={report.ops},bytes={report.bytes},sync_full={report.full},"
        f"sync_partial_ok={report.partial_ok},sync_partial_err={report.partial_err},"
        f"last_error={report.last_error.replace(',', ';')}"
    )
