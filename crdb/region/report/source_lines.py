"""What INFO replication says of the sources that an instance follows.

The fields of the first source are those by which Redis tells of its master; below them each source
has a line of its own, with state and lag (sections 11.4 and 20.3 of the specification). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdb.engine.follow_control import Address
from replication.follow.follower import SourceReport, SourceStatus

Lines = list[tuple[str, object]]


def source_lines(first: Address, reports: Sequence[SourceReport], offset: int) -> Lines:
    """The fields, for sources of which `first` is the address of the first; `offset` counts the
    effects that have come."""
    host, port = first
    lost = [report for report in reports if report.status is SourceStatus.OUT_OF_SYNC]
    return [
        ("master_host", host),
        ("master_port", port),
        ("master_link_status", "down" if lost else "up"),
        ("master_last_io_seconds_ago", -1 if lost else silence(reports)),
        (
            "master_sync_in_progress",
            int(any(report.status is SourceStatus.SYNCING for report in reports)),
        ),
        *([("master_link_down_since_seconds", silence(lost))] if lost else ()),
        ("slave_repl_offset", offset),
        ("slave_priority", 100),
        ("slave_read_only", 1),
        *((f"source{number}", source_line(each)) for number, each in enumerate(reports)),
    ]


def silence(reports: Sequence[SourceReport]) -> int:
    """For how many seconds one of these has said nothing; -1 if one never has."""
    heard = [report.heard_ms for report in reports if report.heard_ms is not None]
    return round(max(heard) / 1000) if len(heard) == len(reports) else -1


def source_line(report: SourceReport) -> str:
    """One source, as INFO shows lists of things."""
    return (
        f"name={report.name},status={report.status.value},lag_ms={report.lag_ms:.0f},"
        f"ops={report.ops},bytes={report.bytes},sync_full={report.full},"
        f"sync_partial_ok={report.partial_ok},sync_partial_err={report.partial_err},"
        f"last_error={report.last_error.replace(',', ';')}"
    )
