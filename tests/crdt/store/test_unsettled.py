"""Keys that wait to be settled: touched, in slices, through several steps."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.hold import Hold
from crdt.store.key_table import KeyTable
from crdt.store.keyspace import Keyspace
from crdt.store.steps import Step
from crdt.store.unsettled import STEPS_MAX, Unsettled
from crdt.types.registry import TypeRegistry
from tests.crdt.exchange import both_wrote, deliver_to, exchange, held, lazy_regions, regions

K = b"k"


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


@pytest.mark.parametrize("has_seen", [False, True])
def test_operation_with_many_conflicts_waits(has_seen: bool) -> None:
    """As after a cut: a thousand strings that both sides wrote take longer than a slice."""
    here, there = regions(2)
    eager, _ = regions(2)
    for replica in (here, eager):
        replica.advance(1000)
        for number in range(50):
            replica.string(f"k{number}").set("ours")
        replica.seal()
    if has_seen:
        exchange(here, there)
    there.advance(1000)
    for number in range(50):
        there.string(f"k{number}").set("theirs")
    (op,) = there.since(here.vector)
    here.work_in_slices(20, 100)
    for replica in (here, eager):
        replica.accept(op)
    assert here.has_work() == (not has_seen)
    if not has_seen:
        assert here.string("k1").get() == eager.string("k1").get()
        assert len(held(here, b"k1").siblings()) == 2
        assert len(here.keyspace.deadline_siblings(b"k1")) == 2
    assert here.to_bytes() == eager.to_bytes()
