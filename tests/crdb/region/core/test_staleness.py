"""The write guard while the writes of an earlier incarnation are missing."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.sections import information
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import ParameterTable
from crdb.region.core.staleness import LOADING, RIVAL, STALE, Staleness
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.protocol.peers import Member, Peer

TABLE = build_table().by_name

PARAMETER = "replica-serve-stale-data"
READONLY = b"READONLY for another reason"


def region(serves_stale: str = "yes") -> tuple[Instance, Links, Staleness]:
    replica = Replica(1)
    instance, links = (
        Instance(replica, build_table(), config=ParameterTable({PARAMETER: serves_stale})),
        Links(replica, Member("r1", 1, replica.origin)),
    )
    return instance, links, Staleness(instance, links)


def test_neither_clients_nor_collector_write_meanwhile() -> None:
    instance, links, staleness = region()
    staleness.begin()
    assert instance.refuse_writes == STALE
    assert not links.collects
    staleness.end()
    assert instance.refuse_writes is None
    assert links.collects
    assert not instance.stale_released_with_merge


def test_it_is_known_whether_full_sync_ended_it() -> None:
    instance, links, staleness = region()
    links.replica.merges = 1
    staleness.begin()
    links.replica.merges = 2
    staleness.end()
    assert instance.stale_released_with_merge


def test_other_reason_against_writes_remains() -> None:
    instance, _, staleness = region()
    instance.refuse_writes = READONLY
    staleness.end()
    assert instance.refuse_writes == READONLY


def test_without_stale_reads_clients_get_loading() -> None:
    instance, links, staleness = region("no")
    client = Client(instance)
    receive(client, b"MULTI\r\nSET k v\r\n")
    waiting = Client(instance)
    assert receive(waiting, b"BLPOP q 0\r\n") == b""
    asking = Client(instance)
    assert receive(asking, b"CRDB.AWAIT 1=5 100000\r\n") == b""
    staleness.begin()
    error = b"-" + LOADING + b"\r\n"
    assert receive(waiting, b"") == error
    assert receive(asking, b"") == b"", "it waits for what comes now"
    assert receive(waiting, b"GET k\r\nPING\r\n") == error * 2
    assert receive(waiting, b"CONFIG GET maxmemory\r\n").startswith(b"*2"), "as in Redis"
    assert receive(client, b"EXEC\r\n").startswith(b"-EXECABORT Transaction discarded because of")
    assert not links.collects
    staleness.end()
    assert receive(waiting, b"GET k\r\n") == b"$-1\r\n"
    staleness.end()


OBSERVING = [
    *("CRDB.HELP", "CRDB.LINKS", "CRDB.LINK HELP", "CRDB.CLOCK HELP", "CRDB.PORT", "CRDB.VECTOR"),
    *("CRDB.AWAIT 1=0 1", "CRDB.SETTLE 0", "CRDB.LINK CUT ALL", "CRDB.LINK HEAL ALL"),
    *("CRDB.CLOCK SET 1000", "CRDB.CLOCK REAL"),
]
READING = ["CRDB.DIGEST", "CRDB.CONFLICTS k", "CRDB.FOLLOW 127.0.0.1 7001"]


def test_every_command_of_ours_is_in_one_of_lists() -> None:
    """Commands that read or delete data get LOADING. Commands that show the region's state or
    control it run."""
    names = {name.lower().decode() for name in TABLE if name.lower().startswith(b"crdb.")}
    listed = {line.split()[0].lower() for line in OBSERVING + READING}
    assert listed == names
    instance, _, staleness = region("no")
    staleness.begin()
    refused = b"-" + LOADING + b"\r\n"
    client = Client(instance)
    for line in READING:
        assert receive(client, f"{line}\r\n".encode()) == refused
    for line in OBSERVING:
        assert not receive(client, f"{line}\r\n".encode()).startswith(b"-LOADING"), line
    staleness.end()
    assert receive(client, b"CRDB.DIGEST\r\n").startswith(b"$")


def test_parameter_takes_effect_in_both_directions() -> None:
    instance, _, staleness = region("no")
    client = Client(instance)
    staleness.begin()
    error = b"-" + LOADING + b"\r\n"
    assert receive(client, b"GET k\r\n") == error
    receive(client, b"CONFIG SET replica-serve-stale-data yes\r\n")
    assert receive(client, b"GET k\r\nSET k v\r\n") == b"$-1\r\n-" + STALE + b"\r\n"
    receive(client, b"CONFIG SET replica-serve-stale-data no\r\n")
    assert receive(client, b"GET k\r\nSET k v\r\n") == error * 2


def test_info_reports_loading_as_redis() -> None:
    instance, links, staleness = region("no")
    assert b"loading:0" in information(instance, ["persistence"]).encode()
    instance.advance(5_000)
    staleness.begin()
    shown = information(instance, ["persistence"])
    assert shown.count("\r\nloading:") == 1
    assert "loading:1\r\n" in shown
    assert "loading_start_time:5\r\n" in shown
    assert "loading_loaded_perc:0.00\r\nloading_eta_seconds:1\r\n" in shown
    links.peers["r2"] = Peer("r2", 2, (2,))
    sink = links.dial("r2", 0)
    sink.vector = {5: 40, 6: 1}
    links.replica.keyspace.vector[5] = 10
    instance.advance(15_000)
    staleness.begin()
    shown = information(instance, ["persistence"])
    assert "loading_total_bytes:41\r\n" in shown
    assert "loading_loaded_bytes:10\r\nloading_loaded_perc:24.39\r\n" in shown
    assert "loading_eta_seconds:31\r\n" in shown


@pytest.mark.parametrize("serves_stale", ["yes", "no"])
def test_rival_refuses_clients_with_its_own_error(serves_stale: str) -> None:
    instance, links, staleness = region(serves_stale)
    client, waiting = Client(instance), Client(instance)
    receive(client, b"SET k v\r\n")
    assert receive(waiting, b"BLPOP q 0\r\n") == b""
    staleness.set_rival(has_rival=True)
    error = b"-" + RIVAL + b"\r\n"
    assert receive(waiting, b"") == error
    assert receive(client, b"SET k w\r\n") == error
    assert receive(client, b"GET k\r\n") == (b"$1\r\nv\r\n" if serves_stale == "yes" else error)
    assert not links.collects
    assert "loading:0" in information(instance, ["persistence"])
    staleness.set_rival(has_rival=False)
    assert receive(client, b"SET k w\r\n") == b"+OK\r\n"
    assert links.collects


def test_region_with_rival_that_also_lacks_data_waits_for_both() -> None:
    instance, links, staleness = region("no")
    client = Client(instance)
    staleness.begin()
    staleness.set_rival(has_rival=True)
    assert receive(client, b"SET k v\r\n") == b"-" + RIVAL + b"\r\n"
    staleness.set_rival(has_rival=False)
    assert receive(client, b"SET k v\r\n") == b"-" + LOADING + b"\r\n"
    staleness.set_rival(has_rival=True)
    staleness.end()
    assert receive(client, b"SET k v\r\n") == b"-" + RIVAL + b"\r\n"
    assert not links.collects
