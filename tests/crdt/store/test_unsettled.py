"""Keys that wait to be settled: touched, in slices, through several steps."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from crdt import Replica
from crdt.causality.dots import make_origin
from crdt.embed.hold import Hold
from crdt.store.key_table import KeyTable
from crdt.store.keyspace import Keyspace
from crdt.store.steps import Step
from crdt.store.unsettled import STEPS_MAX, Unsettled
from crdt.structures.table import PART_MAX
from crdt.testing.peeking import Peek
from crdt.types.registry import TypeRegistry
from crdt.types.string import LARGE_TEXT_BYTES
from tests.crdt.exchange import deliver_to, exchange, held, regions

K = b"k"


def lazy_regions(count: int = 2) -> list[Replica]:
    """Return regions that settle two keys in one slice."""
    made = regions(count)
    for replica in made:
        replica.work_in_slices(2)
    return made


def both_wrote() -> tuple[Replica, Replica]:
    """Return two regions that have written the same strings and some of their own. The first one
    has begun to merge the second one's."""
    here, there = lazy_regions()
    for index in range(6):
        here.string(f"{index}").set("mine")
        there.string(f"{index + 3}").set("theirs")
    here.merge(there.snapshot())
    return here, there


def test_merge_joins_vectors_and_leaves_keys() -> None:
    here, there = both_wrote()
    assert here.vector[there.origin] == 6
    assert not here.is_settled()
    assert len(here.keyspace.data) == 0


def test_work_settles_slice_by_slice() -> None:
    here, there = both_wrote()
    slices = 1
    while here.work():
        slices += 1
        assert not here.is_settled()
    assert slices == 5
    assert here.is_settled()
    assert here.keyspace.size() == 9
    assert not here.work()
    there.merge(here.snapshot())
    assert here.to_bytes() == there.to_bytes()


def test_lookup_settles_one_key() -> None:
    here, _ = both_wrote()
    assert here.string("8").get() == "theirs"
    assert here.string("0").get() == "mine"
    assert sorted(here.keyspace.data) == [b"0", b"8"]
    assert here.string("none").get() is None


def test_write_settles_its_key_first() -> None:
    here, there = both_wrote()
    here.string("5").set("later")
    there.merge(here.snapshot())
    assert there.string("5").get() == "later"
    assert len(held(there, b"5").siblings()) == 1


READERS: dict[str, Callable[[Keyspace], object]] = {
    "size": Keyspace.size,
    "keys": Keyspace.keys,
    "keys_from": lambda db: db.keys_from(0),
    "held_keys": Keyspace.held_keys,
    "live_keys": Keyspace.live_keys,
    "scan": lambda db: db.scan(0, 100),
    "sampled_keys": Keyspace.sampled_keys,
    "random_key": lambda db: db.random_key(random.Random(1)),
    "remembered_keys": Keyspace.remembered_keys,
    "count_deadlines": Keyspace.count_deadlines,
}


@pytest.mark.parametrize("name", READERS)
def test_reading_all_keys_settles_all(name: str) -> None:
    here, _ = both_wrote()
    READERS[name](here.keyspace)
    assert here.is_settled()
    assert len(here.keyspace.data) == 9


def test_estimates_settle_nothing() -> None:
    here, there = both_wrote()
    assert here.keyspace.estimate_size() == here.statistics().keys == 6
    assert here.string("0").get() == "mine"
    assert here.keyspace.estimate_size() == 7
    assert here.keyspace.sample_ends(5) == [b"0"]
    assert here.keyspace.deadline_count() == here.keyspace.time_left(5) == 0
    there.keyspace.flush()
    there.string("later").set("a")
    deliver_to(there, here)
    assert here.keyspace.estimate_size() == 7
    here.keyspace.settle_all()
    assert here.keyspace.estimate_size() == here.keyspace.size() == 7


def test_digest_settles_all_keys() -> None:
    here, there = both_wrote()
    there.merge(here.snapshot())
    assert not there.is_settled()
    assert there.digest() == here.digest()
    assert there.is_settled()


def test_eager_replica_leaves_nothing() -> None:
    here, there = regions(2)
    there.set("s").add("a")
    here.set("t").add("b")
    here.merge(there.snapshot())
    assert here.is_settled()
    assert sorted(here.keyspace.data) == [b"s", b"t"]


def test_empty_replica_adopts_lazily() -> None:
    here, there = lazy_regions()
    there.counter("c").increment(3)
    there.set("s").add("a")
    there.set("s").expire_at(5000)
    there.set("gone").add("a")
    there.set("gone").expire_at(5000)
    there.set("gone").remove("a")
    here.keyspace.watch(b"s")
    here.merge(there.snapshot())
    assert here.keyspace.drain_changes() == [b"s"]
    assert here.keyspace.deadline(b"s") == 5000
    assert here.to_bytes() == there.to_bytes()


def test_several_merges_wait_and_chain() -> None:
    first, second, third = lazy_regions(3)
    for replica, text in ((first, "1"), (second, "2"), (third, "3")):
        replica.set("s").add(text)
        replica.string(text).set(text)
    first.merge(second.snapshot())
    first.merge(third.snapshot())
    assert len(first.keyspace.unsettled.steps) == 2
    assert sorted(first.set("s")) == ["1", "2", "3"]
    assert first.string("2").get() == "2"
    first.string("1").set("later")
    while first.work():
        pass
    second.merge(first.snapshot())
    third.merge(first.snapshot())
    assert first.to_bytes() == second.to_bytes() == third.to_bytes()


def test_key_settled_between_two_merges() -> None:
    first, second, third = lazy_regions(3)
    second.set("s").add("2")
    third.set("s").add("3")
    first.merge(second.snapshot())
    assert sorted(first.set("s")) == ["2"]
    first.merge(third.snapshot())
    assert sorted(first.set("s")) == ["2", "3"]


def test_too_many_steps_are_settled() -> None:
    here, there = lazy_regions()
    for index in range(STEPS_MAX + 1):
        there.set(f"{index}").add("a")
        here.merge(there.snapshot())
    assert here.is_settled()
    assert here.keyspace.size() == STEPS_MAX + 1


def test_watched_key_is_settled_immediately() -> None:
    here, there = lazy_regions()
    here.string("k").set("a")
    here.string("l").set("a")
    there.advance(2000)
    there.string("k").set("b")
    here.keyspace.watch(K)
    here.merge(there.snapshot())
    assert list(here.keyspace.data) == [K]
    assert here.keyspace.drain_changes() == [K]


def test_watching_settles_key() -> None:
    here, _ = both_wrote()
    here.keyspace.watch(b"3")
    assert list(here.keyspace.data) == [b"3"]
    here.keyspace.settle_all()
    assert not here.keyspace.has_changes()


def test_snapshot_in_progress_keeps_its_state() -> None:
    here, there = lazy_regions()
    for name in ("a", "b", "c"):
        here.set(name).add("x")
    exchange(here, there)
    there.set("a").remove("x")
    there.set("d").add("y")
    before = here.to_bytes()
    snapshot = here.snapshot(sort=True)
    here.merge(there.snapshot())
    assert here.set("d") == {"y"}
    assert snapshot.to_bytes() == before
    assert here.keyspace.lookup(b"a") is None
    assert here.to_bytes() == there.to_bytes()


def test_garbage_settles_with_its_key() -> None:
    here, there = lazy_regions()
    here.counter("c").increment(1)
    here.counter("c").delete()
    here.set("s").expire_at(5)
    there.set("other").add("a")
    here.merge(there.snapshot())
    assert not here.keyspace.garbage
    assert here.keyspace.remains(b"c", 1) is not None
    assert list(here.keyspace.garbage) == [b"c"]


def test_garbage_without_content_is_kept() -> None:
    here, there = lazy_regions()
    for index in range(5):
        here.keyspace.garbage[b"%d" % index] = None
    here.string("k").set("a")
    there.string("l").set("a")
    here.merge(there.snapshot())
    here.keyspace.settle_all()
    assert len(here.keyspace.garbage) == 5
    assert here.collect() == 5


def test_collector_settles_what_it_visits() -> None:
    here, there = lazy_regions()
    here.counter("c").increment(1)
    here.counter("c").delete()
    there.set("other").add("a")
    here.merge(there.snapshot())
    here.keyspace.settle(b"c")
    there.set("third").add("a")
    here.keyspace.garbage[b"third"] = None
    here.merge(there.snapshot())
    here.keyspace.garbage[b"third"] = None
    here.collect()
    assert here.keyspace.data[b"third"] is not None


def test_reset_forgets_what_waits() -> None:
    here, _ = both_wrote()
    here.reset()
    assert here.is_settled()
    assert here.keyspace.size() == 0


def test_parts_are_abstract() -> None:
    table = KeyTable()
    with pytest.raises(NotImplementedError):
        table.settle(K)
    with pytest.raises(NotImplementedError):
        table.settle_all()
    db = Keyspace(make_origin(1), TypeRegistry(()))
    with pytest.raises(NotImplementedError):
        Step(None).carry_out(db, K, None)
    assert not Step(None).holds(K)
    assert Step(None).take(db, K) is None
    assert Step(None).weight(K) == 1
    assert Step(None).some_keys(1) == []
    assert Unsettled(db).put_aside() is None


def test_work_notifies_once_when_settled() -> None:
    here, _ = both_wrote()
    calls: list[int] = []
    here.notify_settled(lambda: calls.append(len(here.keyspace.data)))
    here.keyspace.settle_all()
    assert not here.is_settled()
    assert not here.work()
    assert here.is_settled()
    assert not here.work()
    assert calls == [9]


def test_hold_puts_work_off() -> None:
    here, _ = both_wrote()
    hold = Hold(lambda: None)
    hold.keys[b"1"] = 1
    here.update_hold(hold)
    assert here.work()
    assert len(here.keyspace.data) == 0
    hold.keys.clear()
    here.update_hold(hold)
    assert here.work()
    assert len(here.keyspace.data) == 2


# -- flush -----------------------------------------------------------------------------------


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
