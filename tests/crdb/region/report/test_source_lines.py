"""The lines of INFO about sources, in sync and not."""

from __future__ import annotations

from crdb.region.report.source_lines import source_lines
from replication.follow.follower import SourceReport, SourceStatus


def report(
    name: str, status: SourceStatus, last_io_ms: float | None, error: str = ""
) -> SourceReport:
    return SourceReport(name, status, 12.4, last_io_ms, 7, 210, 1, 2, 3, error)


def test_all_sources_in_sync_are_master_that_is_up() -> None:
    reports = [
        report("a:1", SourceStatus.IN_SYNC, 400),
        report("b:2", SourceStatus.IN_SYNC, 2600),
    ]
    reported = dict(source_lines(("a", 1), reports, 42))
    assert (reported["master_host"], reported["master_port"]) == ("a", 1)
    assert (reported["master_link_status"], reported["master_sync_in_progress"]) == ("up", 0)
    assert reported["master_last_io_seconds_ago"] == 3, "the one that has been silent longest"
    assert (reported["slave_repl_offset"], reported["slave_read_only"]) == (42, 1)
    assert reported["source0"] == (
        "name=a:1,status=in-sync,lag_ms=12,ops=7,bytes=210,sync_full=1,sync_partial_ok=2,"
        "sync_partial_err=3,last_error="
    )
    assert "source1" in reported
    assert "master_link_down_since_seconds" not in reported


def test_absent_peer_is_listed_as_down() -> None:
    reports = [
        report("a:1", SourceStatus.SYNCING, 400),
        report("b:2", SourceStatus.OUT_OF_SYNC, 7400, "no, not now"),
    ]
    reported = dict(source_lines(("a", 1), reports, 0))
    assert (reported["master_link_status"], reported["master_sync_in_progress"]) == ("down", 1)
    assert reported["master_last_io_seconds_ago"] == -1
    assert reported["master_link_down_since_seconds"] == 7
    assert str(reported["source1"]).endswith("last_error=no; not now"), "commas part fields"


def test_one_that_never_answered_has_been_away_for_ever() -> None:
    reports = [
        report("a:1", SourceStatus.OUT_OF_SYNC, 400),
        report("b:2", SourceStatus.OUT_OF_SYNC, None),
    ]
    assert dict(source_lines(("a", 1), reports, 0))["master_link_down_since_seconds"] == -1
