"""Counters: the effect of resets, and the collection of shares."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from crdt.causality.dots import Dot, Vector, join, make_dot, meet
from crdt.errors import DecodeError
from crdt.numbers.number import add
from crdt.types.components import counter
from crdt.types.components.counter import Shares

A, B = 1, 2  # origins
NOTHING: Shares = ()


def counted(*increments: tuple[int, int, int, float]) -> Shares:
    """Return a counter with increments (origin, seq, birth, sum)."""
    held = NOTHING
    for origin, seq, birth, amount in increments:
        held = counter.incremented(held, make_dot(origin, seq), birth, amount)
    return held


def copy_of(held: Shares) -> Shares:
    return counter.load(counter.state(held))


def test_increments_of_all_origins_add_up() -> None:
    held = counted((A, 1, 1, 5), (B, 1, 1, 10), (A, 2, 1, 7))
    assert counter.total(held) == 17
    assert counter.total_binary(held, 0.5) == 17.5
    assert counter.min_dot(held) == make_dot(A, 2)
    assert counter.next_sum(held, A, 3, 2) == (1, 9)


def test_two_resets_of_same_subtract_once() -> None:
    held = counted((A, 1, 1, 5))
    carried = counter.resets(held)
    counter.reset(held, carried, make_dot(A, 2))
    counter.reset(held, carried, make_dot(B, 1))
    assert not counter.live(held)
    assert counter.total(held) == 0
    assert counter.total_binary(held, 1.0) == 1.0
    assert counter.min_dot(held) == 0
    assert counter.resets(held) is None


def test_increment_that_reset_had_not_seen_survives_alone() -> None:
    held = counted((A, 1, 1, 4.1))
    carried = counter.resets(held)
    held = counter.incremented(held, make_dot(A, 2), 1, 6.1)
    counter.reset(held, carried, make_dot(B, 1))
    assert counter.total(held) == 2.0
    assert counter.live(held)
    assert counter.has_garbage(held) is False


def test_reset_that_saw_more_wins() -> None:
    held = counted((A, 1, 1, 5))
    early = counter.resets(held)
    held = counter.incremented(held, make_dot(A, 2), 1, 7)
    late = counter.resets(held)
    counter.reset(held, late, make_dot(B, 1))
    counter.reset(held, early, make_dot(3, 1))
    assert not counter.live(held)


def test_wholly_reset_share_is_born_again() -> None:
    held = counted((A, 1, 1, 5))
    counter.reset(held, counter.resets(held), make_dot(A, 2))
    assert counter.next_sum(held, A, 3, 4) == (3, 4)
    assert counter.next_sum(held, B, 1, 4) == (1, 4)
    held = counter.incremented(held, make_dot(A, 3), 3, 4)
    assert counter.total(held) == 4


def test_counter_effect_out_of_order_is_ignored() -> None:
    held = counted((A, 5, 5, 1))
    counter.reset(held, counter.resets(held), make_dot(B, 1))
    held = counter.incremented(held, make_dot(A, 6), 2, 100)
    assert not counter.live(held)
    assert counter.total(held) == 0
    counter.reset(held, (A, 4, 9, 9), make_dot(B, 2))
    counter.reset(held, (B, 1, 9, 9), make_dot(B, 3))
    assert held[0].reset_seq == 5


def test_reset_share_is_remembered_until_all_have_seen_reset() -> None:
    held = counted((A, 1, 1, 5), (B, 1, 1, 1))
    counter.reset(held, (A, 1, 1, 5), make_dot(B, 2))
    assert counter.has_garbage(held)
    assert counter.collect_shares(held, {B: 1}) is held
    held = counter.collect_shares(held, {B: 2})
    assert [share.origin for share in held] == [B]
    assert not counter.has_garbage(held)


def test_merge_takes_later_of_each_half() -> None:
    here, there = counted((A, 1, 1, 5)), counted((A, 1, 1, 5))
    counter.reset(here, counter.resets(here), make_dot(B, 1))
    there = counter.incremented(there, make_dot(A, 2), 1, 9)
    here = counter.merged(here, copy_of(there), {A: 1, B: 1}, {A: 2})
    assert counter.total(here) == 4
    there = counter.merged(there, here, {A: 2}, {A: 2, B: 1})
    assert counter.state(there) == counter.state(here)


def test_share_that_one_side_has_forgotten_is_over() -> None:
    here = counted((A, 1, 1, 5))
    here = counter.merged(here, NOTHING, {A: 1}, {A: 2, B: 2})
    assert here == NOTHING
    here = counter.merged(here, counted((A, 1, 1, 5)), {A: 2, B: 2}, {A: 1})
    assert here == NOTHING


def test_share_that_one_side_has_not_seen_is_taken_over() -> None:
    here = NOTHING
    here = counter.merged(here, counted((A, 1, 1, 5)), {}, {A: 1})
    assert counter.total(here) == 5
    here = counter.merged(here, NOTHING, {A: 1}, {})
    assert counter.total(here) == 5
    here = counter.merged(here, counted((A, 3, 3, 1)), {A: 1}, {A: 3})
    assert counter.total(here) == 1
    here = counter.merged(here, counted((A, 1, 1, 5)), {A: 3}, {A: 1})
    assert counter.total(here) == 1


WRONG: list[Any] = [
    [1],
    (1, 2, 3),
    (A, 1, 1, b"5", 0, 0, 0),
    (A, 1, 1, 5, 0, float("nan"), 0),
    (A, 1, 1, -(1 << 63) - 1, 0, 0, 0),
    (-1, 1, 1, 5, 0, 0, 0),
    (A, "1", 1, 5, 0, 0, 0),
    (A, 1, 1, 5, 0, 0, "0"),
    (A, 1, 1, 5, 0, 0, 0, A, 1, 1, 5, 0, 0, 0),
    (B, 1, 1, 5, 0, 0, 0, A, 1, 1, 5, 0, 0, 0),
]


@pytest.mark.parametrize("state", WRONG, ids=repr)
def test_invalid_counter_state_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        counter.load(state)


def test_share_stays_while_increment_is_not_reset() -> None:
    share = counted((A, 1, 1, 5))[0]
    assert share.live()
    share.reset_seq = 1
    assert not share.live()


class Twin:
    """A region's counter, beside a list of all known increments and of what each reset had
    observed."""

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self.shares = NOTHING
        self.vector: Vector = {}
        self.log: list[tuple[Dot, Any]] = []
        self.deltas: dict[Dot, int] = {}
        self.over: set[Dot] = set()

    def name(self) -> Dot:
        """Return the dot of the next effect made here."""
        seq = self.vector[self.origin] = self.vector.get(self.origin, 0) + 1
        return make_dot(self.origin, seq)

    def increment(self, delta: int) -> None:
        dot = self.name()
        seq = self.vector[self.origin]
        birth, amount = counter.next_sum(self.shares, self.origin, seq, delta)
        self.add_increment(dot, (birth, amount, delta))

    def reset(self) -> None:
        self.add_increment(self.name(), (counter.resets(self.shares) or (), frozenset(self.deltas)))

    def add_increment(self, dot: Dot, effect: Any) -> None:
        """Apply an effect, from here or elsewhere."""
        self.log.append((dot, effect))
        if len(effect) == 3:
            self.shares = counter.incremented(self.shares, dot, effect[0], effect[1])
            self.deltas[dot] = effect[2]
        else:
            counter.reset(self.shares, effect[0], dot)
            self.over |= effect[1]

    def receive(self, other: Twin, *, state: bool) -> None:
        """Receive what another region knows, effect by effect or as one state."""
        known = {dot for dot, _ in self.log}
        lacking = [entry for entry in other.log if entry[0] not in known]
        held, mine = copy_of(self.shares), dict(self.vector)
        for dot, effect in lacking:
            self.add_increment(dot, effect)
        self.vector = join(mine, other.vector)
        if state:
            held = counter.merged(held, copy_of(other.shares), mine, other.vector)
            self.shares = held

    def check(self) -> None:
        """Compare the value with the sum of the increments that no known reset had observed."""
        total = sum(delta for dot, delta in self.deltas.items() if dot not in self.over)
        assert counter.total(self.shares) == add(total, 0)
        assert counter.total_binary(self.shares, 0.5) == total + 0.5
        assert counter.live(self.shares) == bool(self.deltas.keys() - self.over)
        assert (counter.resets(self.shares) is None) == (not counter.live(self.shares))


@pytest.mark.parametrize("seed", range(60))
def test_value_sums_increments_unseen_by_known_resets(seed: int) -> None:
    """Rules CTR-1 and CTR-4: a value is the sum of the increments that no known reset had observed.
    Effects and states are mixed (ORD-4), and shares are forgotten (MEM-2)."""
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
            twin.receive(other, state=rng.random() < 0.4)
        elif all(
            each.vector.get(each.origin, 0) == twin.vector.get(each.origin, 0) for each in twins
        ):
            # a report counts once everything that its region had written is here: see `stability`
            twin.shares = counter.collect_shares(
                twin.shares, meet(meet(twins[0].vector, twins[1].vector), twins[2].vector)
            )
        twin.check()
    for twin in (*twins, *twins):
        for other in twins:
            twin.receive(other, state=rng.random() < 0.5)
    for twin in twins:
        twin.shares = counter.collect_shares(twin.shares, twin.vector)
        assert not counter.has_garbage(twin.shares)
        assert counter.state(twin.shares) == counter.state(twins[0].shares)
