"""Operations of many effects, which are applied key by key: when touched, and in slices."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.embed.arriving import ArrivingOp
from tests.crdt.exchange import exchange, regions


def lazy_pair() -> tuple[Replica, Replica]:
    """Return two regions, the second of which applies one effect in one slice."""
    here, there = regions(2)
    there.work_in_slices(1, 1)
    return here, there


def deliver(here: Replica, there: Replica) -> None:
    """Send all writes of one region, as one operation, to another."""
    op = here.seal()
    assert op is not None
    there.accept(op)


def test_operation_of_many_effects_waits_per_key() -> None:
    here, there = lazy_pair()
    for index in range(3):
        here.string(f"{index}").set("a")
        here.string("0").set(f"{index}")
    deliver(here, there)
    assert there.vector == here.vector
    assert len(there.keyspace.data) == 0
    assert there.string("0").get() == "2"
    assert list(there.keyspace.data) == [b"0"]
    there.string("1").set("later")
    while there.work():
        pass
    deliver(there, here)
    assert here.to_bytes() == there.to_bytes()


def test_effects_of_one_key_are_applied_in_parts() -> None:
    here, there = lazy_pair()
    for member in "abcd":
        here.set("s").add(member)
    deliver(here, there)
    sizes: list[int] = []
    while there.work():
        value = there.keyspace.data[b"s"]
        sizes.append(len(value.sequence() or ()))
    assert sizes == [1, 2, 3, 4]
    assert there.set("s") == set("abcd")


def test_touch_applies_the_rest() -> None:
    here, there = lazy_pair()
    for member in "abcd":
        here.set("s").add(member)
    deliver(here, there)
    there.work()
    assert there.set("s") == set("abcd")
    assert here.to_bytes() == there.to_bytes()


def test_later_steps_wait_for_effects() -> None:
    here, there = lazy_pair()
    third = Replica(3)
    third.set("s").add("z")
    for member in "abcd":
        here.set("s").add(member)
    deliver(here, there)
    there.merge(third.snapshot())
    for member in "efg":
        here.set("s").add(member)
    deliver(here, there)
    assert len(there.keyspace.unsettled.steps) == 3
    there.work()
    assert there.set("s") == set("abcdefgz")


@pytest.mark.parametrize("is_staged", [True, False])
def test_flush_after_write_to_the_empty_key_observes_all_before_it(is_staged: bool) -> None:
    here, there = regions(2)
    here.work_in_slices(2, 4)
    there.string("").set("x")
    for number in range(9):
        there.string(f"k{number}").set("x")
    there.keyspace.flush()
    there.string("after").set("x")
    for op in there.since(here.vector):
        if is_staged:
            arriving = ArrivingOp(here)
            arriving.feed(op.to_bytes())
            assert arriving.staged is not None
            arriving.finish()
        else:
            here.accept(op)
    assert here.keyspace.keys() == [b"after"]
    assert here.to_bytes() == there.to_bytes()


def test_flush_within_effects_comes_in_order() -> None:
    here, there = lazy_pair()
    here.counter("c").increment(5)
    here.counter("d").increment(5)
    here.string("s").set("a")
    here.keyspace.flush()
    here.string("s").set("b")
    here.set("t").add("c")
    there.string("kept").set("d")
    deliver(here, there)
    assert len(there.keyspace.unsettled.steps) == 3
    there.keyspace.settle_all()
    assert sorted(there.keyspace.keys()) == [b"kept", b"s", b"t"]
    exchange(there, here)
    assert here.to_bytes() == there.to_bytes()


def test_watched_keys_of_many_effects_are_reported() -> None:
    here, there = lazy_pair()
    there.keyspace.watch(b"1")
    for index in range(3):
        here.string(f"{index}").set("a")
    deliver(here, there)
    assert there.keyspace.drain_changes() == [b"1"]
    assert list(there.keyspace.data) == [b"1"]


def test_key_whose_new_deadline_waits_does_not_expire() -> None:
    here, there = regions(2)
    for name in ("s", "t"):
        here.set(name).add("a")
        here.set(name).expire_at(2000)
    exchange(here, there)
    here.work_in_slices(1, 1)
    there.set("s").expire_at(9000)
    there.set("s").add("b")
    deliver(there, here)
    for replica in (here, there):
        replica.advance(3000)
    here.record_report(2, there.vector, 3000)
    here.collect()
    assert here.keyspace.keys() == [b"s"]
