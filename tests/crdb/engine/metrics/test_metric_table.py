"""The table of metrics: every field of INFO has a row, and every row a field."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.sections import EVERYTHING, section
from crdb.engine.metrics.metric_table import METRICS, Metric
from crdb.net import process
from crdb.region.report.source_lines import source_lines
from replication.follow.follower import SourceReport, SourceStatus
from tests.crdb.raw import instance

BY_LINKS = (
    "crdt_waiting_*",
    "crdt_dropped_",
    "crdt_links_",
    "crdt_lists_",
    "crdt_rivals",
    "crdt_peer_",
    "crdt_backlog0",
    "crdt_peers_behind",
    "crdt_writes_slowed_ms",
    "crdt_sync_",
    "crdt_replica_",
    "crdt_clock_skew",
    "slave",
    "repl_backlog_",
    "master_",
    "source",
)
"""Fields that links and sources add; see test_link_lines and test_source_lines."""
EXPORTED = """
used_memory used_memory_rss used_memory_peak mem_fragmentation_ratio keyspace_hits keyspace_misses
evicted_keys expired_keys connected_clients blocked_clients instantaneous_ops_per_sec
total_net_input_bytes total_net_output_bytes uptime_in_seconds used_cpu_sys used_cpu_user process_id
redis_version os role db0 cmdstat_get latency_percentiles_usec_get loading rdb_last_save_time
aof_enabled maxmemory total_system_memory executable rdb_changes_since_last_save sync_full
sync_partial_ok pubsub_channels mem_clients_normal used_memory_dataset crdb_version master_replid
"""


def find_metric(section: str, field: str) -> Metric | None:
    """Return the row that describes a field of INFO, or None. A row without a star comes first."""
    rows = sorted(METRICS.get(section, ()), key=lambda row: row.name.endswith("*"))
    return next((row for row in rows if row.is_name_of(field)), None)


def reported() -> dict[str, set[str]]:
    """Return the fields of each section of an instance that has done something."""
    database = instance()
    process.add_process_info(database)
    receive(Client(database), b"SET k v\r\nGET k\r\nwrong\r\n")
    return {name: {field for field, _ in section(database, name)} for name in EVERYTHING}


def test_every_field_has_row() -> None:
    nameless = [
        f"{name}: {field}"
        for name, fields in reported().items()
        for field in fields
        if find_metric(name, field) is None
    ]
    assert nameless == []
    assert find_metric("stats", "nothing") is None
    assert find_metric("nothing", "role") is None


def test_every_field_about_sources_has_row() -> None:
    lost = SourceReport(
        name="db:1",
        status=SourceStatus.OUT_OF_SYNC,
        lag_ms=0.0,
        last_io_ms=None,
        ops=0,
        bytes=0,
        full=0,
        partial_ok=0,
        partial_err=0,
        last_error="",
    )
    lines = source_lines(("db", 1), [lost], offset=3)
    assert all(find_metric("replication", field) for field, _ in lines)


def test_exact_name_comes_before_star() -> None:
    waiting = find_metric("crdt", "crdt_waiting_bytes")
    assert waiting is not None
    assert (waiting.name, waiting.kind, waiting.unit) == ("crdt_waiting_bytes", "gauge", "bytes")
    origin = find_metric("crdt", "crdt_waiting_0")
    assert origin is not None
    assert origin.kind == "record"


def test_every_row_has_field() -> None:
    fields = {field for all_of_them in reported().values() for field in all_of_them}
    absent = [
        row.name
        for rows in METRICS.values()
        for row in rows
        if not row.name.startswith(BY_LINKS) and not any(row.is_name_of(field) for field in fields)
    ]
    assert absent == []


def test_names_are_unique_in_section() -> None:
    for rows in METRICS.values():
        names = [row.name for row in rows]
        assert len(names) == len(set(names))
        assert all(row.help for row in rows)


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_numbers_are_numbers(kind: str) -> None:
    database = instance()
    process.add_process_info(database)
    for name in EVERYTHING:
        for field, value in section(database, name):
            metric = find_metric(name, field)
            if metric is not None and metric.kind == kind:
                float(str(value).removesuffix("%"))


def test_lines_stand_in_order_of_table() -> None:
    database = instance()
    names = [field for field, _ in section(database, "memory")]
    rows = [row.name for row in METRICS["memory"]]
    assert names == [name for name in rows if name in names]


def test_fields_of_exporters_exist() -> None:
    fields = {field for all_of_them in reported().values() for field in all_of_them}
    assert set(EXPORTED.split()) <= fields
