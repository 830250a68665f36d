"""Garbage collection: neither too early nor too late. One region deletes expired keys."""

from __future__ import annotations

from crdt import Replica
from crdt.causality.dots import make_origin
from tests.crdt.exchange import converge, deliver_to, exchange, regions


def test_unknown_member_blocks_collection() -> None:
    here = Replica(1)
    here.counter("k").increment(5)
    here.counter("k").delete()
    assert here.collect() == 0
    assert here.keyspace.tombstones
    assert here.statistics().garbage_pending == 1
    assert here.statistics().garbage_attempted == 1


def test_lone_replica_collects_immediately() -> None:
    here = Replica(1, members=())
    here.counter("k").increment(5)
    here.counter("k").delete()
    assert here.collect() == 1
    assert not here.keyspace.tombstones
    assert here.statistics().garbage_collected == 1


def test_reset_counter_is_forgotten_when_all_have_seen_reset() -> None:
    here, there, third = regions()
    here.counter("k").increment(5)
    exchange(here, there, third)
    here.counter("k").delete()
    exchange(here, there)
    here.record_report(2, there.vector)
    here.record_report(3, third.vector)
    here.collect()
    assert here.keyspace.tombstones
    converge(here, there, third)
    assert not any(replica.keyspace.tombstones for replica in (here, there, third))


def test_expired_keys_go_when_all_know_that_they_have() -> None:
    """Rule EXP-4."""
    here, there = regions(2, now=1000)
    here.set("k").add("a")
    here.set("k").expire_at(1500)
    exchange(here, there)
    here.advance(2000)
    converge(here, there)
    assert here.keyspace.size() == 1, "there it has not expired yet"
    there.advance(1600)
    converge(here, there)
    assert here.keyspace.size() == there.keyspace.size() == 0
    assert not here.keyspace.deadlines.table
    assert there.keyspace.seq == 0, "the lowest region does it"
    assert (here.keyspace.expired, there.keyspace.expired) == (1, 0)


def test_collection_deletes_at_most_keys_max() -> None:
    here = Replica(1, members=())
    here.advance(1000)
    for index in range(25):
        here.string(f"{index}").set("x")
        here.string(f"{index}").expire_at(1001)
    here.advance(2000)
    for left in (15, 5, 0):
        here.collect(10)
        assert here.keyspace.size() == left
        assert here.garbage.is_behind == (left > 0)


def test_collection_visits_at_most_keys_max() -> None:
    here = Replica(1, members=())
    for index in range(25):
        here.set(f"{index}").add("x")
        here.set(f"{index}").expire_at(None)
    for left in (15, 5, 0):
        here.collect(10)
        assert len(here.keyspace.deadlines.table) == len(here.keyspace.garbage) == left
        assert here.garbage.is_behind == (left > 0)
    assert here.garbage.done == 5


def test_unstable_key_does_not_delay_others() -> None:
    here, there = regions(2)
    for index in range(25):
        here.counter(f"{index}").increment(1)
        here.counter(f"{index}").delete()
    exchange(here, there)
    here.counter("late").increment(1)
    here.counter("late").delete()
    here.record_report(2, there.vector)
    for round_of_three in range(2):
        behind = []
        for _ in range(3):
            here.collect(10)
            behind.append(here.garbage.is_behind)
        assert behind == ([True, True, False] if round_of_three == 0 else [False] * 3)
    assert list(here.keyspace.tombstones) == [b"late"]
    assert here.statistics().garbage_attempted == 26 + 3


def test_infinite_deadline_is_collected_when_stable() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    here.set("k").expire_at(None)
    assert here.keyspace.deadlines.table
    here.collect()
    assert here.keyspace.deadlines.table
    exchange(here, there)
    here.record_report(2, there.vector)
    here.collect()
    assert not here.keyspace.deadlines.table
    assert there.keyspace.deadlines.table, "the lowest region says so by an effect"
    converge(here, there)
    assert not there.keyspace.deadlines.table
    assert not there.keyspace.garbage
    assert there.keyspace.seq == 0


def test_persist_is_forgotten_by_all() -> None:
    """A region that has lost its memory sets a deadline, concurrently with a PERSIST.

    One region has forgotten the PERSIST, and another one has not. See
    `tests/scenarios/persist_of_lost_incarnations.txt`.
    """
    here, there, third = regions(now=1000)
    here.set("k").add("a")
    here.set("k").expire_at(5000)
    here.set("k").expire_at(None)
    exchange(here, there, third)
    here.record_report(2, there.vector)
    here.record_report(3, third.vector)
    here.collect()
    lost = Replica(make_origin(2, 7))
    lost.advance(1000)
    lost.set("k").add("b")
    lost.set("k").expire_at(9000)
    exchange(lost, third)
    assert third.keyspace.deadline(b"k") is None
    exchange(lost, here)
    exchange(lost, here, third)
    for replica in (here, third, lost):
        assert replica.keyspace.deadline(b"k") == 9000
        assert replica.digest() == here.digest()


def test_lone_write_that_was_spelled_out_needs_no_effect() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    there.string("k").set("b")
    here.string("k").expire_at(5000)
    here.string("k").delete()
    exchange(here, there)
    assert there.keyspace.deadlines.table, "the one has not seen the other"
    converge(here, there)
    assert not there.keyspace.deadlines.table
    assert not there.keyspace.garbage
    assert (here.keyspace.seq, there.keyspace.seq) == (3, 1)


def test_sibling_of_infinite_deadline_is_collected() -> None:
    here, there = regions(2)
    for name in ("k", "l"):
        here.string(name).set("a")
    exchange(here, there)
    here.string("k").set("b")
    there.string("k").expire_at(5000)
    here.string("l").expire_at(None)
    there.string("l").expire_at(5000)
    exchange(here, there)
    assert len(here.keyspace.deadlines.table) == len(there.keyspace.deadlines.table) == 2
    converge(here, there)
    for replica in (here, there):
        assert not replica.keyspace.deadlines.table
        assert not replica.keyspace.garbage
        assert replica.keyspace.deadline(b"k") is None
    assert there.keyspace.seq == 2


def test_living_key_keeps_its_deadline() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    here.set("k").expire_at(None)
    there.set("k").add("b")
    exchange(here, there)
    there.set("k").expire_at(5000)
    converge(here, there)
    assert here.keyspace.deadline(b"k") == 5000
    assert not here.keyspace.garbage


def test_deadline_without_key_is_cleared_by_lowest_region() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    there.set("k").delete()
    here.set("k").expire_at(5000)
    exchange(here, there)
    assert here.keyspace.deadlines.table
    converge(here, there)
    converge(here, there)
    assert not here.keyspace.deadlines.table
    assert not there.keyspace.deadlines.table
    assert not there.keyspace.garbage


def test_returned_key_has_no_orphaned_deadline() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    there.set("k").delete()
    here.set("k").expire_at(5000)
    exchange(here, there)
    here.collect()
    assert here.keyspace.garbage[b"k"] is not None
    there.set("k").add("b")
    converge(here, there)
    assert not here.keyspace.garbage
    assert set(here.set("k")) == {"b"}


def test_returned_and_deleted_key_orphans_deadline() -> None:
    """The third region wrote to the key while it was back, so the deadline is for its value."""
    here, there, third = regions()
    here.set("k").add("a")
    here.set("k").expire_at(5000)
    exchange(here, there, third)
    there.set("k").add("b")
    here.set("k").discard("a")
    here.collect()
    deliver_to(here, there, third)
    deliver_to(there, here, third)
    here.record_report(2, there.vector)
    here.record_report(3, third.vector)
    third.set("k").add("c")
    there.set("k").discard("b")
    deliver_to(there, here)
    here.collect()
    converge(here, there, third)
    for replica in (here, there, third):
        assert set(replica.set("k")) == {"c"}
        assert replica.keyspace.deadline(b"k") == 5000


def test_contested_key_sheds_type_that_is_dead() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    there.counter("k").increment(5)
    there.counter("k").delete()
    converge(here, there)
    assert here.to_bytes() == there.to_bytes()
    assert not here.keyspace.garbage


def with_waiting_key(deadline: int | None) -> Replica:
    """Return the leader, which has begun to settle a large garbage key that the other region has
    changed, and which knows that this region has seen the deadline."""
    here, there = regions(2)
    there.set("k").add("a")
    there.set("k").expire_at(deadline)
    exchange(here, there)
    here.work_in_slices(1)
    there.set("k").add(*[f"b{index}" for index in range(50)])
    here.merge(there.snapshot())
    here.work()
    here.advance(3000)
    here.record_report(2, there.vector, 3000)
    assert here.keyspace.is_large_unsettled(b"k")
    return here


def test_collection_leaves_a_large_key_that_is_being_settled() -> None:
    here = with_waiting_key(None)
    assert here.collect() == 0
    assert here.keyspace.is_large_unsettled(b"k")
    here.keyspace.settle_all()
    assert here.collect() == 1
    assert not here.keyspace.garbage
    assert len(here.set("k")) == 51


def test_expired_large_key_is_deleted_when_it_is_settled() -> None:
    here = with_waiting_key(2000)
    assert here.collect() == 0
    assert here.keyspace.is_large_unsettled(b"k")
    assert here.garbage.is_partial
    here.keyspace.settle_all()
    assert here.collect() > 0
    assert here.keyspace.size() == 0
    assert not here.garbage.is_partial
