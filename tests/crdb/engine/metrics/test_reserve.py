"""The part of maxmemory that is reserved for operations of other regions (rule OOM-4)."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.errors import OUT_OF_MEMORY
from crdb.engine.instance import Instance
from crdb.engine.metrics.memory import PLENTY
from tests.crdb.raw import instance, lines
from tests.crdb.regions import Regions

LIMIT = 1_000_000
OOM = b"-" + OUT_OF_MEMORY + b"\r\n"
PERCENT = "crdt-replication-oom-threshold-percent"


def use(database: Instance, used: int) -> None:
    """Let a database use so many bytes."""
    database.memory.probe = lambda: (used, PLENTY)
    database.sample_memory()


def limited(database: Instance, *settings: str) -> Client:
    """Return a client of a database with a limit."""
    client = Client(database)
    lines(client, f"CONFIG SET maxmemory {LIMIT}", *settings)
    return client


@pytest.mark.rule("OOM-4")
def test_clients_leave_reserve_to_other_regions() -> None:
    regions = Regions(2)
    here = regions.instances[1]
    client = limited(here)
    use(here, 950_000)
    assert lines(client, "SET k v") == [b"+OK\r\n"]
    for used in (950_001, LIMIT, 2 * LIMIT):
        use(here, used)
        assert lines(client, "SET k v", "GET k") == [OOM, b"$1\r\nv\r\n"]
        regions.run(2, "SADD", "s", f"{used}")
        regions.sync()
        assert f"{used}".encode() in lines(client, "SMEMBERS s")[0]
    assert lines(client, "DEL k") == [b":1\r\n"]


@pytest.mark.rule("OOM-4")
@pytest.mark.parametrize("percent", [0, 1, 20])
def test_reserve_is_a_parameter(percent: int) -> None:
    here = Regions(2).instances[1]
    client = limited(here, f"CONFIG SET {PERCENT} {percent}")
    edge = LIMIT * (100 - percent) // 100
    use(here, edge)
    assert lines(client, "SET k v") == [b"+OK\r\n"]
    use(here, edge + 1)
    assert lines(client, "SET k v") == [OOM]


def test_new_share_holds_immediately() -> None:
    here = Regions(2).instances[1]
    client = limited(here)
    use(here, 970_000)
    set_none = f"CONFIG SET {PERCENT} 0"
    assert lines(client, "SET k v", set_none, "SET k v") == [OOM, b"+OK\r\n", b"+OK\r\n"]


def test_region_without_peers_has_no_reserve() -> None:
    database = instance()
    client = limited(database)
    use(database, LIMIT)
    assert lines(client, "SET k v") == [b"+OK\r\n"]
    use(database, LIMIT + 1)
    assert lines(client, "SET k v") == [OOM]


def test_there_is_no_reserve_while_keys_can_be_evicted() -> None:
    here = Regions(2).instances[1]
    client = limited(here, "CONFIG SET maxmemory-policy allkeys-lru", "SET k v")
    use(here, LIMIT)
    assert lines(client, "SET k v") == [b"+OK\r\n"]


@pytest.mark.parametrize("percent", ["-1", "21", "five"])
def test_share_out_of_range_is_refused(percent: str) -> None:
    [refused] = lines(Client(instance()), f"CONFIG SET {PERCENT} {percent}")
    assert refused.startswith(b"-ERR CONFIG SET failed")
