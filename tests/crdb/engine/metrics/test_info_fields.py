"""Every field of INFO has a meaning, and every meaning a field."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.executor import receive
from crdb.engine.info.sections import EVERYTHING, section
from crdb.engine.metrics.info_fields import INFO_FIELDS, meaning_of
from crdb.net import process
from tests.crdb.raw import instance

BY_LINKS = (
    "crdt_waiting_*",
    "crdt_dropped_",
    "crdt_links_",
    "crdt_peer_",
    "crdt_backlog0",
    "crdt_sync_",
    "crdt_replica_",
    "slave",
    "repl_backlog_",
)
"""Fields that links add; see test_link_lines."""
EXPORTED = """
used_memory used_memory_rss used_memory_peak mem_fragmentation_ratio keyspace_hits keyspace_misses
evicted_keys expired_keys connected_clients blocked_clients instantaneous_ops_per_sec
total_net_input_bytes total_net_output_bytes uptime_in_seconds used_cpu_sys used_cpu_user process_id
redis_version os role db0 cmdstat_get latency_percentiles_usec_get loading rdb_last_save_time
aof_enabled maxmemory total_system_memory executable rdb_changes_since_last_save sync_full
sync_partial_ok pubsub_channels mem_clients_normal used_memory_dataset crdb_version master_replid
"""


def told() -> dict[str, set[str]]:
    """The fields of each section of an instance that has done something."""
    database = instance()
    process.add_process_info(database)
    receive(Client(database), b"SET k v\r\nGET k\r\nwrong\r\n")
    return {name: {field for field, _ in section(database, name)} for name in EVERYTHING}


def test_every_field_has_a_meaning() -> None:
    nameless = [
        f"{name}: {field}"
        for name, fields in told().items()
        for field in fields
        if meaning_of(name, field) is None
    ]
    assert nameless == []
    assert meaning_of("stats", "nothing") is None
    assert meaning_of("nothing", "role") is None


def test_nothing_is_explained_that_is_not_told() -> None:
    fields = {field for all_of_them in told().values() for field in all_of_them}
    explained = [name for lines in INFO_FIELDS.values() for names, _ in lines for name in names]
    absent = [
        name
        for name in explained
        if not name.startswith(BY_LINKS)
        and not any(field.startswith(name.rstrip("*")) for field in fields)
    ]
    assert absent == ["master_repl_offset"]


def test_what_exporters_read_is_there() -> None:
    fields = {field for all_of_them in told().values() for field in all_of_them}
    assert set(EXPORTED.split()) <= fields
