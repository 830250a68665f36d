"""FLUSHALL: what it removes, at one moment and in slices."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.structures.table import PART_MAX
from crdt.testing.peeking import Peek
from crdt.types.string import LARGE_TEXT_BYTES
from tests.crdt.exchange import both_wrote, deliver_to, exchange, lazy_regions, regions

K = b"k"


def test_flush_of_what_is_all_observed_is_one_step() -> None:
    here, there = lazy_regions()
    for name in ("a", "b", "c"):
        here.set(name).add("x")
    here.set("a").expire_at(5000)
    exchange(here, there)
    here.keyspace.flush()
    assert here.is_settled()
    assert here.keyspace.size() == here.keyspace.deadline_count() == 0
    exchange(here, there)
    assert there.is_settled()
    assert there.keyspace.size() == there.keyspace.deadline_count() == 0


def test_flush_keeps_what_it_did_not_observe() -> None:
    here, there = lazy_regions()
    for name in ("a", "b", "c"):
        here.set(name).add("x")
    here.set("c").expire_at(5000)
    exchange(here, there)
    there.set("b").add("y")
    there.string("d").set("z")
    there.keyspace.watch(b"a")
    here.keyspace.flush()
    exchange(here, there)
    assert not there.is_settled()
    assert there.keyspace.drain_changes() == [b"a"]
    assert there.set("b") == {"y"}
    assert there.keyspace.keys() == [b"b", b"d"]
    assert here.to_bytes() == there.to_bytes()


def test_flush_resets_counters_and_remembers_them() -> None:
    here, there = lazy_regions()
    here.counter("c").increment(5)
    here.hash("h").increment("n", 2)
    here.sorted_set("z").increment("m", 2)
    here.set("s").add("x")
    exchange(here, there)
    there.counter("c").increment(1)
    here.keyspace.flush()
    here.keyspace.settle_all()
    assert sorted(here.keyspace.tombstones) == [b"c", b"h", b"z"]
    assert not here.keyspace.traced
    exchange(here, there)
    assert here.counter("c").value == there.counter("c").value == 1
    assert here.keyspace.keys() == [b"c"]
    assert here.to_bytes() == there.to_bytes()


def written_of_all_kinds(slice_keys: int) -> Replica:
    """Return a region with keys that leave something when they are removed, and with others. It
    does not work in slices if `slice_keys` is 0."""
    (replica,) = regions(1)
    if slice_keys:
        replica.work_in_slices(slice_keys)
    for index in range(4):
        replica.string(f"s{index}").set("x")
        replica.counter(f"c{index}").increment(5)
        replica.hash(f"h{index}").increment("n", 2)
        replica.counter(f"gone{index}").increment(1)
        replica.delete(f"gone{index}")
        replica.set(f"t{index}").add("x")
        replica.set(f"t{index}").expire_at(5000 + index)
    return replica


@pytest.mark.parametrize("slices", range(9))
def test_flush_of_what_leaves_metadata_is_seen_at_once(slices: int) -> None:
    lazy, eager = written_of_all_kinds(2), written_of_all_kinds(0)
    for replica in (lazy, eager):
        replica.keyspace.flush()
    assert lazy.keyspace.pending_effects() == eager.keyspace.pending_effects()
    assert not lazy.is_settled()
    for _ in range(slices):
        lazy.work()
        with Peek(lazy.keyspace):
            assert lazy.keyspace.keys() == []
            assert lazy.digest() == eager.digest()
    for replica in (lazy, eager):
        replica.set("t1").add("y")
        replica.counter("c3").increment(1)
    assert lazy.counter("c3").value == 1
    assert lazy.to_bytes() == eager.to_bytes()
    assert sorted(lazy.keyspace.garbage) == sorted(eager.keyspace.garbage)
    assert list(lazy.keyspace.traced) == list(eager.keyspace.traced) == []
    assert lazy.keyspace.deadline_count() == 0


def test_what_flush_removes_without_traces_is_freed_in_slices() -> None:
    replica = written_of_all_kinds(2)
    replica.keyspace.flush()
    while not replica.is_settled():
        replica.work()
    assert len(replica.keyspace.bin.things) == 3  # values, deadlines and garbage
    while replica.work():
        pass
    assert replica.keyspace.bin.is_empty()


def test_flush_settles_in_slices_what_waits() -> None:
    here, there = both_wrote()
    steps = here.keyspace.flush_in_slices(2)
    for _ in range(3):
        next(steps)
        assert here.keyspace.is_unsettled
    for _ in steps:
        pass
    assert here.keyspace.keys() == []
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()


def test_flush_visits_counters_in_parts() -> None:
    (replica,) = regions(1)
    for index in range(3 * PART_MAX):
        replica.counter(f"{index}").increment(1)
    replica.seal()
    slices = [replica.keyspace.pending_count() for _ in replica.keyspace.flush_in_slices(PART_MAX)]
    assert len(slices) >= 3
    assert replica.keyspace.pending_count() == 3 * PART_MAX + 1
    assert not replica.keyspace.data.counters


def test_flush_keeps_counter_that_nothing_resets() -> None:
    """A FLUSH effect alone resets no increments: DELETE effects before it carry the resets."""
    here, there = lazy_regions()
    here.counter("c").increment(5)
    here.string("s").set("a")
    here.counter("gone").increment(5)
    here.keyspace.data.drop(b"gone")
    here.keyspace.emit((0, 2, b""))
    assert here.keyspace.keys() == [b"c"]
    assert here.keyspace.data.is_counter(b"c")
    assert here.keyspace.data.counters == 1
    exchange(here, there)
    assert sorted(there.keyspace.keys()) == [b"c", b"gone"]


def test_flush_during_snapshot_keeps_its_state() -> None:
    here, there = lazy_regions()
    for name in ("a", "b", "c"):
        here.set(name).add("x")
    before = here.to_bytes()
    snapshot = here.snapshot(sort=True)
    here.keyspace.flush()
    assert not here.is_settled()
    here.set("a").add("new")
    assert here.set("a") == {"new"}
    assert snapshot.to_bytes() == before
    assert here.keyspace.keys() == [b"a"]
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()


def test_flush_after_merge_that_is_not_settled() -> None:
    here, there = both_wrote()
    there.keyspace.flush()
    deliver_to(there, here)
    here.string("new").set("a")
    assert here.string("8").get() is None
    assert here.string("0").get() == "mine"
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()


def test_traces_are_forgotten_with_their_key() -> None:
    here = Replica(1, members=[1])
    here.counter("c").increment(5)
    here.string("s").set("5")
    here.counter("s").increment(1)
    here.hash("h").increment("n", 2)
    assert list(here.keyspace.traced) == [b"s", b"h"]
    assert here.keyspace.data.counters == 1
    here.counter("c").delete()
    assert here.keyspace.data.counters == 0
    here.hash("h").delete()
    assert list(here.keyspace.traced) == [b"s"]
    here.string("s").set("a")
    here.collect()
    assert list(here.keyspace.traced) == []


def test_concurrent_writes_leave_no_traces() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    there.string("k").set("b")
    exchange(here, there)
    assert not here.keyspace.traced
    here.keyspace.flush()
    exchange(here, there)
    assert there.keyspace.size() == len(there.keyspace.tombstones) == 0


def test_flush_drops_garbage_of_what_is_gone() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    there.string("k").set("b")
    exchange(here, there)
    here.counter("c").increment(1)
    assert list(here.keyspace.garbage) == [K]
    here.keyspace.flush()
    assert list(here.keyspace.garbage) == list(here.keyspace.tombstones) == [b"c"]
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()


@pytest.mark.parametrize("is_of_type", [True, False])
def test_flush_keeps_what_was_reset_beside_other_content(is_of_type: bool) -> None:
    here, there = regions(2)
    there.sorted_set("k").increment("m", 1)
    exchange(here, there)
    if is_of_type:
        del here.sorted_set("k")["m"]
        here.sorted_set("k")["n"] = 1
    else:
        here.delete("k")
        here.set("k").add("n")
    there.sorted_set("k").increment("m", 1)
    here.keyspace.flush()
    exchange(here, there)
    assert here.sorted_set("k").value == there.sorted_set("k").value == {"m": 1}
    assert here.to_bytes() == there.to_bytes()


def test_flush_retains_a_text_that_became_long_before_it_was_sent() -> None:
    here, there = regions(2)
    here.string("k").set("a" * (LARGE_TEXT_BYTES - 1))
    here.string("k").set("a" * LARGE_TEXT_BYTES)
    exchange(here, there)
    there.keyspace.flush()
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()
