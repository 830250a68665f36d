"""Operations that are received in parts."""

from __future__ import annotations

import pytest

from crdt.embed.arriving import HELP_STEPS, ArrivingOp
from crdt.embed.replica import Outcome, Replica
from crdt.errors import DecodeError


def many_writes(replica: Replica, count: int, name: str = "k") -> bytes:
    """Write `count` keys in one operation, and return it encoded."""
    for number in range(count):
        replica.string(f"{name}{number}").set(str(number))
    op = replica.seal()
    assert op is not None
    return op.to_bytes()


def arrive(replica: Replica, data: bytes, size: int = 50) -> Outcome:
    """Receive an operation in parts."""
    arriving = ArrivingOp(replica)
    for start in range(0, len(data), size):
        arriving.feed(data[start : start + size])
    return arriving.finish()


@pytest.mark.parametrize("slice_effects", [1, 100])
def test_op_is_visible_at_its_end(slice_effects: int) -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, slice_effects)
    data = many_writes(here, 10)
    arriving = ArrivingOp(there)
    for start in range(0, len(data), 20):
        assert there.keyspace.estimate_size() == 0
        arriving.feed(data[start : start + 20])
        there.work()
    assert there.string("k3").get() is None
    assert arriving.finish() is Outcome.APPLIED
    assert there.keyspace.is_unsettled == (slice_effects == 1)
    assert there.string("k3").get() == "3"
    while there.work():
        pass
    assert there.to_bytes() == here.to_bytes()


def test_flush_inside_keeps_its_place() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 1)
    there.apply(here.changes_for(there.vector))
    here.string("a").set("1")
    here.string("b").set("1")
    here.keyspace.flush()
    here.string("b").set("2")
    here.string("c").set("2")
    op = here.seal()
    assert op is not None
    assert arrive(there, op.to_bytes()) is Outcome.APPLIED
    assert there.string("a").get() is None
    assert there.string("b").get() == "2"
    while there.work():
        pass
    assert there.to_bytes() == here.to_bytes()


def test_op_waits_for_what_it_depends_on() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 1)
    first, second = many_writes(here, 3), many_writes(here, 5, "l")
    assert arrive(there, second) is Outcome.HELD
    assert arrive(there, first) is Outcome.APPLIED
    assert there.to_bytes() == here.to_bytes()


def test_watched_key_changes_when_op_is_complete() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 1)
    there.keyspace.watched_keys.add(b"k1")
    arrive(there, many_writes(here, 3))
    assert there.keyspace.dirty_keys == [b"k1"]


def test_unknown_type_is_refused_as_in_a_whole_op() -> None:
    here, there = Replica(1), Replica(2)
    here.string("k").set("v")
    here.keyspace.outbox.append((200, 0, b"k"))
    op = here.keyspace.pending()
    assert op is not None
    with pytest.raises(DecodeError) as whole:
        there.accept(op)
    with pytest.raises(DecodeError) as parts:
        arrive(there, op.to_bytes())
    assert str(parts.value) == str(whole.value)
    assert not there.vector


def test_parts_do_work_while_many_steps_wait() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(2, 1)
    for number in range(3 * HELP_STEPS):
        arrive(there, many_writes(here, 10, f"{number}-"), 1000)
        assert len(there.keyspace.unsettled.steps) <= HELP_STEPS + 1
    assert there.keyspace.is_unsettled
    while there.work():
        pass
    assert there.to_bytes() == here.to_bytes()


@pytest.mark.parametrize("is_staged", [True, False])
def test_dropped_op_is_freed_in_slices(is_staged: bool) -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 1 if is_staged else 1000)
    data = many_writes(here, 10)
    arriving = ArrivingOp(there)
    arriving.feed(data[:-5])
    assert len(arriving.reader.effects) == 9
    arriving.drop()
    assert there.has_work()
    while there.work():
        pass
    assert arriving.reader.effects == []
    assert arrive(there, data) is Outcome.APPLIED
    assert there.to_bytes() == here.to_bytes()


def test_duplicate_is_freed_in_slices() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 1)
    data = many_writes(here, 10)
    arrive(there, data)
    while there.work():
        pass
    assert arrive(there, data) is Outcome.DUPLICATE
    assert there.has_work()
    while there.work():
        pass
    assert there.to_bytes() == here.to_bytes()


def test_few_effects_of_many_items_wait_too() -> None:
    here, there = Replica(1), Replica(2)
    there.work_in_slices(1, 100)
    members = here.set("s")
    for start in range(0, 12_000, 1_000):
        members.add(*(str(number) for number in range(start, start + 1_000)))
    op = here.seal()
    assert op is not None
    assert len(op.effects) < 100
    assert arrive(there, op.to_bytes(), 1_000) is Outcome.APPLIED
    assert there.keyspace.is_unsettled
    while there.work():
        pass
    assert there.to_bytes() == here.to_bytes()
