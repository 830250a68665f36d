"""Counters: what resets take back, and when a share may be forgotten."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from crdt.counter import Counter
from crdt.dots import Dot, Vector, join, make_dot, meet
from crdt.errors import DecodeError
from crdt.number import add

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


def test_a_share_lives_while_an_increment_is_not_reset() -> None:
    share = counter((A, 1, 1, 5)).shares[A]
    assert share.live()
    share.reset_seq = 1
    assert not share.live()


class Twin:
    """A region's counter beside all that it knows of: increments, and what each reset saw."""

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self.counter = Counter()
        self.vector: Vector = {}
        self.log: list[tuple[Dot, Any]] = []
        self.deltas: dict[Dot, int] = {}
        self.over: set[Dot] = set()

    def name(self) -> Dot:
        """The dot of the next effect made here."""
        seq = self.vector[self.origin] = self.vector.get(self.origin, 0) + 1
        return make_dot(self.origin, seq)

    def increment(self, delta: int) -> None:
        dot = self.name()
        birth, total = self.counter.next(self.origin, self.vector[self.origin], delta)
        self.take(dot, (birth, total, delta))

    def reset(self) -> None:
        self.take(self.name(), (self.counter.resets() or (), frozenset(self.deltas)))

    def take(self, dot: Dot, effect: Any) -> None:
        """Apply an effect, from here or elsewhere."""
        self.log.append((dot, effect))
        if len(effect) == 3:
            self.counter.add(dot, effect[0], effect[1])
            self.deltas[dot] = effect[2]
        else:
            self.counter.reset(effect[0], dot)
            self.over |= effect[1]

    def hear(self, other: Twin, *, state: bool) -> None:
        """Take in what another region knows, effect by effect or at once."""
        known = {dot for dot, _ in self.log}
        lacking = [entry for entry in other.log if entry[0] not in known]
        held, mine = copy_of(self.counter), dict(self.vector)
        for dot, effect in lacking:
            self.take(dot, effect)
        self.vector = join(mine, other.vector)
        if state:
            held.merge(copy_of(other.counter), mine, other.vector)
            self.counter = held

    def check(self) -> None:
        """What counts are the increments that no known reset saw."""
        total = sum(delta for dot, delta in self.deltas.items() if dot not in self.over)
        assert self.counter.total() == add(total, 0)
        assert self.counter.total_binary(0.5) == total + 0.5
        assert self.counter.live() == bool(self.deltas.keys() - self.over)
        assert (self.counter.resets() is None) == (not self.counter.live())


@pytest.mark.parametrize("seed", range(60))
def test_regions_count_what_no_reset_that_they_know_of_saw(seed: int) -> None:
    """Rules CTR-1 and CTR-4, with effects and states mixed (ORD-4) and shares forgotten (MEM-2)."""
    rng = Random(seed)
    twins = [Twin(origin) for origin in (A, B, 3)]
    for _ in range(80):
        twin, other = rng.sample(twins, 2)
        action = rng.random()
        if action < 0.4:
            twin.increment(rng.randint(-9, 9))
        elif action < 0.55:
            twin.reset()
        elif action < 0.9:
            twin.hear(other, state=rng.random() < 0.4)
        elif all(
            each.vector.get(each.origin, 0) == twin.vector.get(each.origin, 0) for each in twins
        ):
            # A report counts once all that its region had written is here: see `stability`.
            twin.counter.sweep(meet(meet(twins[0].vector, twins[1].vector), twins[2].vector))
        twin.check()
    for twin in (*twins, *twins):
        for other in twins:
            twin.hear(other, state=rng.random() < 0.5)
    for twin in twins:
        twin.counter.sweep(twin.vector)
        assert not twin.counter.litter()
        assert twin.counter.state() == twins[0].counter.state()
