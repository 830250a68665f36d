"""Removed content that is freed in slices."""

from __future__ import annotations

from collections import deque

import pytest

from crdt import Replica
from crdt.causality.dots import make_origin
from crdt.store.bin import Bin, DroppedHeaps, DroppedKeys
from crdt.structures.table import Table
from crdt.types.components.deadlines import Deadlines
from crdt.types.components.named import LIMITS
from tests.crdt.exchange import exchange, regions


@pytest.fixture(autouse=True)
def tiny_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LIMITS, "small_max", 4)
    monkeypatch.setattr(LIMITS, "part_max", 4)


class Countdown:
    """Content that takes some slices."""

    def __init__(self, slices: int) -> None:
        self.slices = slices

    def free_slice(self) -> bool:
        self.slices -= 1
        return self.slices > 0


def slices_of(replica: Replica) -> int:
    """Return the number of slices until no work is left."""
    count = 1
    while replica.work():
        count += 1
    return count


def test_bin_frees_all_slices_of_all_things() -> None:
    full = Bin()
    assert full.is_empty()
    assert not full.free_slice()
    for slices in (3, 2):
        full.add(Countdown(slices))
    calls = 1
    while full.free_slice():
        assert not full.is_empty()
        calls += 1
    assert calls == 5
    assert full.is_empty()


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_deleted_large_value_is_freed_by_work_everywhere(kind: str) -> None:
    here, there = regions(2)
    for replica in (here, there):
        replica.work_in_slices(10)
    for number in range(40):
        if kind == "set":
            here.set("k").add(f"{number}")
        elif kind == "hash":
            here.hash("k")[f"{number}"] = "x"
        else:
            here.sorted_set("k")[f"{number}"] = number
    exchange(here, there)
    assert not here.has_work()
    here.keyspace.delete(b"k")
    exchange(here, there)
    for replica in (here, there):
        assert replica.keyspace.lookup(b"k") is None
        assert replica.is_settled()
        assert replica.has_work()
        assert slices_of(replica) > 8
        assert not replica.has_work()


def test_large_value_of_contested_key_is_freed_by_work() -> None:
    here, there = regions(2)
    here.work_in_slices(10)
    here.list("k").append("x")
    there.set("k").add(*[f"{number}" for number in range(40)])
    exchange(here, there)
    assert here.keyspace.is_contested(b"k")
    here.keyspace.delete(b"k")
    assert slices_of(here) > 8
    assert here.keyspace.held(b"k") is None


def test_replica_that_does_not_work_in_slices_keeps_nothing() -> None:
    replica = Replica(1)
    replica.set("k").add(*[f"{number}" for number in range(40)])
    replica.keyspace.delete(b"k")
    assert not replica.has_work()


def test_flushed_keys_are_freed_by_work() -> None:
    (replica,) = regions(1)
    replica.work_in_slices(10)
    for number in range(5000):
        replica.string(f"{number}").set("x")
    replica.set("large").add(*[f"{number}" for number in range(40)])
    replica.counter("n").increment(5)
    replica.keyspace.flush()
    assert replica.keyspace.size() == 0
    assert replica.has_work()
    assert slices_of(replica) > 10
    replica.counter("n").increment(2)
    assert replica.counter("n") == 2


def test_heaps_of_flushed_deadlines_are_freed_one_by_one() -> None:
    heaps = deque([[(1, b"a")], [(2, b"b")], [(3, b"c")]])
    dropped = DroppedHeaps(heaps)
    assert [dropped.free_slice() for _ in range(4)] == [True, True, False, False]
    assert not heaps


def test_flush_leaves_heaps_to_work() -> None:
    (replica,) = regions(1)
    replica.work_in_slices(10)
    replica.keyspace.deadlines = Deadlines(heap_max=2)
    for number in range(5):
        replica.set(f"{number}").add("x")
        replica.set(f"{number}").expire_at(5000)
    replica.keyspace.flush()
    assert len(replica.keyspace.bin.things) == 3  # values, deadlines and their heaps
    while replica.work():
        pass
    assert replica.keyspace.bin.is_empty()


def test_dropped_keys_are_freed_by_number_of_elements() -> None:
    replica = Replica(make_origin(1))
    table = Table()
    for number in range(3):
        replica.hash("h")[f"{number}"] = "x"
    value = replica.keyspace.lookup(b"h")
    for number in range(1500):
        table.put(b"%d" % number, value)
    dropped, calls = DroppedKeys(table), 1
    while dropped.free_slice():
        calls += 1
    assert calls == 3
