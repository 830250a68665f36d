"""Counters: what resets take back, and when a share may be forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.counter import Counter
from crdt.dots import make_dot
from crdt.errors import DecodeError

A, B = 1, 2  # origins


def counter(*increments: tuple[int, int, int, float]) -> Counter:
    """A counter that has taken in origin, seq, birth and sum."""
    made = Counter()
    for origin, seq, birth, total in increments:
        made.add(make_dot(origin, seq), birth, total)
    return made


def copy_of(held: Counter) -> Counter:
    copy = Counter()
    copy.load(held.state())
    return copy


def test_increments_of_all_origins_add_up() -> None:
    held = counter((A, 1, 1, 5), (B, 1, 1, 10), (A, 2, 1, 7))
    assert held.total() == 17
    assert held.total_binary(0.5) == 17.5
    assert held.lowest() == make_dot(A, 2)
    assert held.next(A, 3, 2) == (1, 9)


def test_two_resets_of_the_same_subtract_once() -> None:
    held = counter((A, 1, 1, 5))
    carried = held.resets()
    held.reset(carried, make_dot(A, 2))
    held.reset(carried, make_dot(B, 1))
    assert not held.live()
    assert held.total() == 0
    assert held.total_binary(1.0) == 1.0
    assert held.lowest() == 0
    assert held.resets() is None


def test_an_increment_that_the_reset_had_not_seen_survives_alone() -> None:
    held = counter((A, 1, 1, 4.1))
    carried = held.resets()
    held.add(make_dot(A, 2), 1, 6.1)
    held.reset(carried, make_dot(B, 1))
    assert held.total() == 2.0
    assert held.live()
    assert held.litter() is False


def test_the_reset_that_saw_more_wins() -> None:
    held = counter((A, 1, 1, 5))
    early = held.resets()
    held.add(make_dot(A, 2), 1, 7)
    late = held.resets()
    held.reset(late, make_dot(B, 1))
    held.reset(early, make_dot(3, 1))
    assert not held.live()


def test_a_wholly_reset_share_is_born_again() -> None:
    held = counter((A, 1, 1, 5))
    held.reset(held.resets(), make_dot(A, 2))
    assert held.next(A, 3, 4) == (3, 4)
    assert held.next(B, 1, 4) == (1, 4)
    assert held.add(make_dot(A, 3), 3, 4)
    assert held.total() == 4


def test_what_is_out_of_order_counts_for_nothing() -> None:
    held = counter((A, 5, 5, 1))
    held.reset(held.resets(), make_dot(B, 1))
    assert not held.add(make_dot(A, 6), 2, 100)
    assert held.total() == 0
    held.reset((A, 4, 9, 9), make_dot(B, 2))
    held.reset((B, 1, 9, 9), make_dot(B, 3))
    assert held.shares[A].reset_seq == 5


def test_a_reset_share_is_remembered_until_all_have_seen_the_reset() -> None:
    held = counter((A, 1, 1, 5), (B, 1, 1, 1))
    held.reset((A, 1, 1, 5), make_dot(B, 2))
    assert held.litter()
    assert held.sweep({B: 1})
    assert not held.sweep({B: 2})
    assert list(held.shares) == [B]
    assert not held.litter()


def test_a_merge_takes_the_later_of_each_half() -> None:
    here, there = counter((A, 1, 1, 5)), counter((A, 1, 1, 5))
    here.reset(here.resets(), make_dot(B, 1))
    there.add(make_dot(A, 2), 1, 9)
    here.merge(copy_of(there), {A: 1, B: 1}, {A: 2})
    assert here.total() == 4
    there.merge(here, {A: 2}, {A: 2, B: 1})
    assert there.state() == here.state()


def test_a_share_that_one_side_has_forgotten_is_over() -> None:
    here = counter((A, 1, 1, 5))
    here.merge(Counter(), {A: 1}, {A: 2, B: 2})
    assert here.shares == {}
    here.merge(counter((A, 1, 1, 5)), {A: 2, B: 2}, {A: 1})
    assert here.shares == {}


def test_a_share_that_one_side_has_not_seen_is_taken_over() -> None:
    here = Counter()
    here.merge(counter((A, 1, 1, 5)), {}, {A: 1})
    assert here.total() == 5
    here.merge(Counter(), {A: 1}, {})
    assert here.total() == 5
    here.merge(counter((A, 3, 3, 1)), {A: 1}, {A: 3})
    assert here.total() == 1
    here.merge(counter((A, 1, 1, 5)), {A: 3}, {A: 1})
    assert here.total() == 1


WRONG: list[Any] = [
    [1],
    (1, 2, 3),
    (A, 1, 1, b"5", 0, 0, 0),
    (A, 1, 1, 5, 0, float("nan"), 0),
    (A, 1, 1, -(1 << 63) - 1, 0, 0, 0),
    (-1, 1, 1, 5, 0, 0, 0),
    (A, "1", 1, 5, 0, 0, 0),
]


@pytest.mark.parametrize("state", WRONG, ids=repr)
def test_what_is_no_counter_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        Counter().load(state)
