"""Which keys are evicted, when, and what clients see of it (rules EVI-1 to EVI-7)."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.errors import OUT_OF_MEMORY
from crdb.engine.eviction.eviction import SLICE_KEYS
from crdb.engine.instance import Instance
from crdb.engine.metrics.memory import PLENTY
from crdt.embed.replica import Replica
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions

KEY = 1_000_000
"""Each key counts as so many bytes here."""
OOM = b"-" + OUT_OF_MEMORY + b"\r\n"


def limit(database: Instance, keys: int) -> None:
    """Let `maxmemory` be the memory of so many keys."""
    database.memory.probe = lambda: (database.keyspace.estimate_size() * KEY, PLENTY)
    database.eviction.measure = lambda _db, _key, _samples: KEY
    lines(Client(database), f"CONFIG SET maxmemory {keys * KEY}")


def full(policy: str, keys: int, **parameters: str) -> tuple[Instance, Client]:
    """Return an instance with room for so many keys, and a client."""
    database = instance(maxmemory_policy=policy, **parameters)
    limit(database, keys)
    return database, Client(database)


def settle(database: Instance) -> None:
    """Evict until enough is free, or until no key is left."""
    database.sample_memory()
    while database.may_evict():
        database.slices.run_slice()


def names(database: Instance) -> set[bytes]:
    """Return the keys that are left."""
    return set(database.keyspace.keys())


@pytest.mark.rule("EVI-1")
def test_nothing_is_evicted_by_default() -> None:
    database = instance()
    client = Client(database)
    lines(client, *(f"SET k{n} v" for n in range(20)))
    limit(database, 10)
    settle(database)
    assert len(names(database)) == 20
    assert lines(client, "SET k v", "GET k1", "DEL k1") == [OOM, b"$1\r\nv\r\n", b":1\r\n"]


@pytest.mark.rule("EVI-2")
@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_keys_are_evicted_down_to_limit(policy: str) -> None:
    database, client = full(policy, 50)
    lines(client, *(f"SET k{n} v" for n in range(80)))
    settle(database)
    assert len(names(database)) == 50
    assert database.eviction.evicted == 30
    assert lines(client, "SET new v") == [b"+OK\r\n"]


@pytest.mark.rule("EVI-2")
@pytest.mark.parametrize("order", ["lru", "lfu", "random", "ttl"])
def test_volatile_policies_spare_keys_without_deadline(order: str) -> None:
    database, client = full(f"volatile-{order}", 30)
    lines(client, *(f"SET stay{n} v" for n in range(20)))
    lines(client, *(f"SET go{n} v EX {100 + n}" for n in range(30)), "PERSIST go0")
    settle(database)
    left = names(database)
    assert {b"stay%d" % n for n in range(20)} | {b"go0"} <= left
    assert len(left) == 30
    limit(database, 10)
    settle(database)
    assert len(names(database)) == 21
    assert database.eviction.has_failed
    assert lines(client, "SET k v") == [OOM]
    lines(client, "EXPIRE stay1 100")
    settle(database)
    assert b"stay1" not in names(database)


def test_least_recently_used_keys_go_first() -> None:
    database, client = full("allkeys-lru", 40)
    for n in range(60):
        database.advance(NOW + 1000 * n)
        lines(client, f"SET k{n} v")
    database.advance(NOW + 100_000)
    lines(client, *(f"GET k{n}" for n in range(10)), "OBJECT IDLETIME k5")
    settle(database)
    left = names(database)
    assert {b"k%d" % n for n in range(10)} <= left
    assert len(left & {b"k%d" % n for n in range(40, 60)}) >= 17


def test_least_frequently_used_keys_go_first() -> None:
    database, client = full("allkeys-lfu", 40, lfu_log_factor="1", lfu_decay_time="0")
    lines(client, *(f"SET k{n} v" for n in range(60)))
    for _ in range(30):
        lines(client, *(f"GET k{n}" for n in range(10)), *(f"SET k{n} w" for n in range(10, 20)))
    settle(database)
    assert {b"k%d" % n for n in range(20)} <= names(database)


def test_soonest_deadlines_go_first() -> None:
    database, client = full("volatile-ttl", 40, maxmemory_samples="20")
    lines(client, *(f"SET k{n} v EX {100 + n}" for n in range(60)))
    settle(database)
    assert len(names(database) & {b"k%d" % n for n in range(20)}) <= 3


def test_frequency_counts_reads_and_writes_of_all_kinds() -> None:
    database = instance(maxmemory_policy="allkeys-lfu", lfu_log_factor="0")
    client = Client(database)
    lines(client, "SET k 1", "RPUSH l a", "SET other 1", "INCR n")
    assert lines(client, "OBJECT FREQ k", "OBJECT FREQ l") == [b":5\r\n", b":5\r\n"]
    lines(client, "GET k", "SET k 2", "LRANGE l 0 -1", "RPUSH l b", "LLEN l", "INCR n")
    assert lines(client, *(f"OBJECT FREQ {key}" for key in "kln")) == [
        b":7\r\n",
        b":8\r\n",
        b":6\r\n",
    ]
    database.advance(NOW + 60_000)
    assert lines(client, "OBJECT FREQ k", "OBJECT FREQ missing") == [b":6\r\n", b"$-1\r\n"]
    assert lines(client, "OBJECT IDLETIME k")[0].startswith(b"-ERR An LFU maxmemory policy is sel")
    lines(client, "CONFIG SET maxmemory-policy allkeys-lru lfu-decay-time 5")
    assert lines(client, "OBJECT FREQ k")[0].startswith(b"-ERR An LFU maxmemory policy is not sel")
    assert database.keyspace.reader_count() == 0
    lines(client, "GET k")
    assert lines(client, "OBJECT IDLETIME k") == [b":0\r\n"]


def test_write_goes_on_while_keys_are_evicted() -> None:
    database, client = full("allkeys-lru", 100)
    lines(client, *(f"SET k{n} v" for n in range(105)))
    database.sample_memory()
    assert lines(client, "SET k v") == [b"+OK\r\n"]
    lines(client, *(f"SET l{n} v" for n in range(20)))
    database.sample_memory()
    assert lines(client, "SET k v") == [OOM], "it is too far beyond the limit"
    settle(database)
    assert lines(client, "SET k v") == [b"+OK\r\n"]


def test_slices_are_short_and_grow_with_excess() -> None:
    database, client = full("allkeys-random", 100)
    lines(client, "MSET " + " ".join(f"k{n} v" for n in range(400)))
    database.sample_memory()
    database.eviction.debt_bytes = PLENTY
    database.eviction.excess_percent = 0
    assert database.eviction.run_slice() == SLICE_KEYS
    database.eviction.excess_percent = 1
    assert database.eviction.run_slice() == 300


@pytest.mark.rule("EVI-3")
@pytest.mark.rule("EVI-7")
def test_regions_begin_one_after_the_other() -> None:
    regions = Regions(2)
    for database in regions.instances.values():
        lines(Client(database), "CONFIG SET maxmemory-policy allkeys-random")
        limit(database, 100)
    for n in range(85):
        regions.run(1, "SET", f"k{n}", "v")
    regions.sync()
    settle(regions.instances[2])
    assert len(names(regions.instances[2])) == 85
    settle(regions.instances[1])
    assert len(names(regions.instances[1])) == 80
    regions.replicas[1].seal()
    regions.sync()
    assert len(names(regions.instances[2])) == 80


@pytest.mark.rule("EVI-4")
def test_eviction_in_two_regions_brings_no_key_back() -> None:
    regions = Regions(2)
    for n in range(120):
        regions.run(1, "SET", f"k{n}", "v")
        regions.run(1, "SADD", f"s{n}", "a")
    regions.sync()
    regions.run(2, "SADD", "s1", "b")
    for database in regions.instances.values():
        lines(Client(database), "CONFIG SET maxmemory-policy allkeys-random")
        limit(database, 100)
        settle(database)
    left = {number: names(database) for number, database in regions.instances.items()}
    for replica in regions.replicas.values():
        replica.seal()
    regions.sync()
    assert names(regions.instances[1]) == names(regions.instances[2])
    assert names(regions.instances[1]) - {b"s1"} == (left[1] & left[2]) - {b"s1"}


def test_follower_and_slices_are_left_alone() -> None:
    database, client = full("allkeys-random", 10)
    lines(client, "MSET " + " ".join(f"k{n} v" for n in range(30)))
    database.refuse_writes = b"READONLY"
    database.sample_memory()
    assert not database.may_evict()
    assert database.slices.is_idle()
    database.refuse_writes = None
    assert database.may_evict()
    lines(client, "CONFIG SET maxmemory-policy noeviction")
    assert not database.may_evict()


def test_figures_are_shown_and_reset() -> None:
    database, client = full("allkeys-random", 10)
    lines(client, *(f"SET k{n} v" for n in range(11)))
    database.sample_memory()
    database.advance(NOW + 250)
    shown = lines(client, "INFO stats")[0]
    assert b"current_eviction_exceeded_time:250\r\n" in shown
    settle(database)
    shown = lines(client, "INFO stats")[0]
    assert b"evicted_keys:1\r\n" in shown
    assert b"total_eviction_exceeded_time:250\r\n" in shown
    assert b"current_eviction_exceeded_time:0\r\n" in shown
    lines(client, "SET x v", "SET y v")
    database.sample_memory()
    database.advance(NOW + 300)
    lines(client, "CONFIG RESETSTAT")
    assert database.eviction.exceeded(NOW + 310) == (10, 10)
    assert database.eviction.evicted == 0


def test_uses_survive_a_change_of_maxmemory_alone() -> None:
    database = Instance(Replica(1), instance().commands)
    database.advance(NOW)
    limit(database, 5)
    assert database.eviction.policy.evicts is False
