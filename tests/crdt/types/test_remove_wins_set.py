"""Remove-wins sets: adds that a remove suppresses, and when removes are collected."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError
from crdt.causality.dots import make_dot
from crdt.types.remove_wins_set import RemoveWinsSet
from tests.crdt.exchange import converge, deliver_to, exchange, held, regions


def test_remove_wins_over_concurrent_add() -> None:
    here, there = regions(2)
    here.set_remove_wins("k").add("a", "b")
    exchange(here, there)
    here.set_remove_wins("k").add("a")
    there.set_remove_wins("k").discard("a")
    exchange(here, there)
    for replica in (here, there):
        assert set(replica.set_remove_wins("k")) == {"b"}
        assert "a" not in replica.set_remove_wins("k")
        assert replica.set_remove_wins("k") == {"b"}
    here.set_remove_wins("k").add("a")
    exchange(here, there)
    assert "a" in there.set_remove_wins("k")
    assert held(there).siblings()[0] == (make_dot(here.origin, 3), b"a")


def test_remove_of_absent_member_suppresses_adds_in_transit() -> None:
    here, there = regions(2)
    assert here.set_remove_wins("k").discard("a") == 0
    there.set_remove_wins("k").add("a")
    exchange(here, there)
    assert len(here.set_remove_wins("k")) == len(there.set_remove_wins("k")) == 0
    assert not here.keyspace.size()
    assert b"k" in here.keyspace.tombstones


def test_remove_and_suppressed_add_are_collected_when_stable() -> None:
    here, there, third = regions()
    here.set_remove_wins("k").add("a")
    there.set_remove_wins("k").discard("a")
    exchange(here, there)
    deliver_to(there, third)
    for replica in (there, third):
        here.record_report(replica.region, {there.origin: 1})
    here.collect()
    assert b"k" in here.keyspace.tombstones, "the third has not seen the add"
    converge(here, there, third)
    for replica in (here, there, third):
        assert not replica.keyspace.tombstones
        assert not replica.keyspace.garbage


def test_member_that_is_kept_out_leaves_others_alone() -> None:
    here, there = regions(2)
    here.set_remove_wins("k").add("a", "b")
    there.set_remove_wins("k").discard("a")
    exchange(here, there)
    value = held(here)
    assert isinstance(value, RemoveWinsSet)
    assert value.members() == [b"b"]
    assert value.is_live()
    assert value.has_garbage()
    assert value.collect({})
    assert value.min_dot() == make_dot(here.origin, 1)
    there.set_remove_wins("k").discard("b")
    assert not value_or_tombstone(there).is_live()
    assert value_or_tombstone(there).min_dot() == 0


def value_or_tombstone(replica: Any) -> RemoveWinsSet:
    """Return the value under k, visible or not."""
    value = replica.keyspace.remains(b"k", 7)
    assert isinstance(value, RemoveWinsSet)
    return value


def test_delete_takes_back_removes_too() -> None:
    here, there = regions(2)
    here.set_remove_wins("k").add("b")
    here.set_remove_wins("k").discard("a")
    exchange(here, there)
    here.set_remove_wins("k").delete()
    there.set_remove_wins("k").add("a")
    exchange(here, there)
    assert set(here.set_remove_wins("k")) == set(there.set_remove_wins("k")) == {"a"}
    assert not held(here).has_garbage()


def test_states_merge_like_operations() -> None:
    here, there = regions(2)
    here.set_remove_wins("k").add("a", "b", "c")
    there.set_remove_wins("k").discard("a")
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert here.to_bytes() == there.to_bytes()
    assert set(here.set_remove_wins("k")) == {"b", "c"}


def test_concurrent_removes_are_both_remembered() -> None:
    here, there = regions(2)
    here.set_remove_wins("k").discard("a")
    there.set_remove_wins("k").discard("a")
    exchange(here, there)
    assert value_or_tombstone(here).state()[2] == (
        make_dot(here.origin, 1),
        make_dot(there.origin, 1),
    )


@pytest.mark.parametrize("state", [(b"a", 1), (5, 1, 2), (b"a", 0, 1), (b"a", 1, (3, 2))], ids=repr)
def test_invalid_set_state_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        RemoveWinsSet().load(state)
