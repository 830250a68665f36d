"""Add-wins sets: rules SET-1 to SET-4, one dot in the common case."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crdt import DecodeError, Replica
from crdt.causality.dots import make_dot
from crdt.causality.observed import Observed
from crdt.types.set import ADD, SET_TYPE, Set, check_dots, join_dots
from crdt.writes import set as sets
from tests.crdt.exchange import deliver_to, exchange, held, regions


def members(replica: Replica) -> set[Any]:
    return set(replica.set("k"))


def test_add_wins_over_concurrent_remove() -> None:
    """Rules SET-1 and SET-3."""
    here, there = regions(2)
    here.set("k").add("a", "b")
    exchange(here, there)
    here.set("k").add("a")
    there.set("k").discard("a", "b")
    exchange(here, there)
    assert members(here) == members(there) == {"a"}


def test_names_are_members() -> None:
    here = Replica(1)
    here.set("k").add("a", "b")
    value = held(here)
    assert isinstance(value, Set)
    assert (value.has(b"a"), value.has(b"c"), value.size()) == (True, False, 2)
    assert sorted(value.names()) == [b"a", b"b"]


def test_unseen_add_is_not_removed() -> None:
    """Rule SET-2."""
    here, there = regions(2)
    there.set("k").add("a")
    assert sets.remove(here.keyspace, b"k", [b"a"]) == 0
    here.string("k").set("x")
    assert sets.remove(here.keyspace, b"k", [b"a"]) == 0
    assert here.keyspace.seq == 1


def test_concurrent_adds_hold_member_by_two_dots() -> None:
    here, there, third = regions()
    here.set("k").add("a")
    there.set("k").add("a")
    deliver_to(here, there)
    assert held(there).state() == (b"a", (make_dot(here.origin, 1), make_dot(there.origin, 1)))
    deliver_to(here, third)
    third.set("k").discard("a")
    exchange(here, there, third)
    assert members(here) == members(there) == members(third) == {"a"}
    here.set("k").add("a")
    exchange(here, there, third)
    assert held(third).state() == (b"a", make_dot(here.origin, 2))


def test_delete_removes_what_it_saw() -> None:
    """Rule SET-4."""
    here, there = regions(2)
    here.set("k").add("a", "b")
    exchange(here, there)
    here.set("k").delete()
    there.set("k").add("c", "a")
    exchange(here, there)
    assert members(here) == members(there) == {"a", "c"}
    assert held(here).min_dot() == make_dot(there.origin, 1)


def test_members_can_be_sampled_and_walked() -> None:
    value = Set()
    seen = Observed({}, 1, 1, 0)
    for index in range(100):
        seen.seq = index + 1
        value.apply((SET_TYPE, ADD, b"k", b"%d" % index), make_dot(1, index + 1), seen)
    rng = random.Random(1)
    assert {value.pick(rng) for _ in range(10)} <= set(value.names())
    cursor, walked = value.scan(0, 30)
    value.apply((SET_TYPE, ADD, b"k", b"new"), make_dot(1, 101), seen)
    while cursor:
        cursor, more = value.scan(cursor, 30)
        walked += more
    assert set(walked) >= {b"%d" % index for index in range(100)}
    value.remove(seen, None)
    assert value.order is not None
    here = Replica(1)
    here.set("k").add("a")
    mine = held(here)
    assert isinstance(mine, Set)
    mine.sampled()
    here.set("k").delete()
    assert mine.order is None


def test_member_that_is_added_again_keeps_its_place_in_walk() -> None:
    here = Replica(1)
    here.set("k").add("a", "b")
    mine = held(here)
    assert isinstance(mine, Set)
    assert mine.scan(0, 9) == (0, [b"b", b"a"])
    here.set("k").add("a")
    assert mine.find(b"a") == make_dot(here.origin, 2)
    assert mine.scan(0, 9) == (0, [b"b", b"a"])


def test_siblings_name_every_dot() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    there.set("k").add("a")
    exchange(here, there)
    dots = [make_dot(here.origin, 1), make_dot(there.origin, 1)]
    assert held(here).siblings() == [(dot, b"a") for dot in dots]


def test_dots_are_stored_in_one_form() -> None:
    assert join_dots((5,), ()) == 5
    assert join_dots((7,), (5,)) == (5, 7)
    assert join_dots((7,), (7,)) == 7


def test_merge_brings_what_is_new_and_takes_what_is_gone() -> None:
    here, there = regions(2)
    here.set("k").add("both", "gone")
    exchange(here, there)
    there.set("k").discard("gone")
    there.set("k").add("both", "new")
    here.set("k").add("both", "mine")
    here.merge(there.snapshot())
    assert members(here) == {"both", "mine", "new"}
    there.merge(here.snapshot())
    assert held(here).state() == held(there).state()


WRONG: list[Any] = [0, -1, 1 << 63, b"1", (), (1,), (2, 1), (1, 1), (1, b"2"), None]


@pytest.mark.parametrize("dots", WRONG, ids=repr)
def test_invalid_dots_are_refused(dots: object) -> None:
    with pytest.raises(DecodeError):
        check_dots(dots)


@pytest.mark.parametrize("state", [(b"a",), (5, 5), (b"a", 0), [b"a", 1]], ids=repr)
def test_invalid_set_state_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        Set().load(state)
