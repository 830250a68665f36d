"""The gate: what waits, for what, and how much of it."""

from __future__ import annotations

from random import Random

import pytest

from crdt import Op
from crdt.causality.causal_buffer import EFFECT_BYTES, Gate, is_ready, room
from crdt.causality.dots import Vector, make_origin


def op(origin: int, first: int, deps: Vector | None = None, effects: int = 1) -> Op:
    return Op(origin, first, 0, deps or {}, ((0x20, b"k", b"a"),) * effects)


def test_an_operation_is_ready_after_its_past() -> None:
    assert is_ready(op(1, 1), {})
    assert not is_ready(op(1, 2), {})
    assert is_ready(op(1, 2, {2: 3}), {1: 1, 2: 3})
    assert not is_ready(op(1, 2, {2: 3}), {1: 1, 2: 2})


def test_what_waits_comes_out_when_its_turn_has_come() -> None:
    gate = Gate()
    first, second, other = op(1, 1, {2: 1}), op(1, 2), op(3, 1, {1: 2})
    for each in (other, first, second):
        assert gate.hold(each, {})
    assert gate.missing({}) == {1: 2, 2: 1}
    assert gate.ready({}) is None
    assert gate.ready({2: 1}) is first
    assert gate.ready({1: 1, 2: 1}) is second
    assert gate.ready({1: 2, 2: 1}) is other
    assert gate.ready({1: 2, 2: 1, 3: 1}) is None
    assert gate.bytes == 0
    assert gate.queues == {}


def test_an_early_operation_waits_for_its_predecessor() -> None:
    gate = Gate()
    assert gate.hold(op(1, 3), {1: 1})
    assert gate.missing({1: 1}) == {1: 2}
    assert gate.reached({1: 1, 5: 4}) == {1: 1, 5: 4}
    assert gate.reached({}) == {}
    assert gate.hold(op(1, 2, {2: 1}), {1: 1})
    assert gate.missing({1: 1}) == {2: 1}
    assert gate.reached({1: 1}) == {1: 3}
    assert gate.ready({1: 1}) is None
    assert gate.ready({1: 1, 2: 1}) == op(1, 2, {2: 1})
    assert gate.ready({1: 2, 2: 1}) == op(1, 3)
    assert gate.bytes == 0


def test_early_operations_are_kept_in_order() -> None:
    gate = Gate()
    for first in (9, 3, 5, 11, 7):
        assert gate.hold(op(1, first), {})
    assert [each.first for each in gate.queues[1]] == [3, 5, 7, 9, 11]
    assert gate.bytes == sum(map(room, gate.queues[1]))


def test_an_operation_that_closes_a_gap_replaces_what_it_contains() -> None:
    gate = Gate()
    for first, effects in ((2, 2), (5, 1), (7, 1), (9, 3)):
        assert gate.hold(op(1, first, effects=effects), {})
    assert gate.hold(op(1, 3, effects=7), {})
    assert [(each.first, each.last) for each in gate.queues[1]] == [(2, 3), (4, 9), (10, 11)]
    assert gate.bytes == sum(map(room, gate.queues[1]))
    assert gate.hold(op(1, 4, effects=2), {}), "already there"
    assert len(gate.queues[1]) == 3


def test_a_gap_does_not_get_round_the_bound() -> None:
    gate = Gate(limit=room(op(1, 9)))
    assert gate.hold(op(1, 9), {})
    assert not gate.hold(op(1, 7), {})
    assert not gate.hold(op(2, 7), {})
    assert list(gate.queues) == [1]


def test_what_waits_already_is_not_held_twice() -> None:
    gate = Gate()
    waiting = op(1, 1, {2: 1})
    assert gate.hold(waiting, {})
    before = gate.bytes
    assert gate.hold(waiting, {})
    assert gate.bytes == before


def test_what_waits_is_bounded() -> None:
    gate = Gate(limit=room(op(1, 1, {2: 1})))
    assert gate.hold(op(1, 1, {2: 1}), {})
    assert not gate.hold(op(3, 1, {2: 1}), {})


def test_what_came_another_way_is_dropped() -> None:
    gate = Gate()
    assert gate.hold(op(1, 1, {2: 1}), {})
    assert gate.hold(op(1, 2), {})
    assert gate.ready({1: 2}) is None
    assert gate.bytes == 0


def test_small_effects_are_counted_as_what_they_take_in_memory() -> None:
    """A byte limit on encodings alone let ten times as much memory be taken."""
    gate = Gate(limit=1000 * EFFECT_BYTES)
    assert gate.hold(op(1, 1, {2: 1}, effects=900), {})
    assert not gate.hold(op(3, 1, {2: 1}, effects=100), {})


def test_of_what_overlaps_only_the_rest_is_held() -> None:
    """An operation may have been divided differently on another way."""
    gate = Gate()
    assert gate.hold(op(1, 1, {2: 1}, effects=3), {})
    assert gate.hold(op(1, 2, {2: 1}, effects=4), {})
    assert [(each.first, each.last) for each in gate.queues[1]] == [(1, 3), (4, 5)]
    waiting = gate.ready({1: 2, 2: 1})
    assert waiting is not None
    assert (waiting.first, waiting.last) == (3, 3)
    rest = gate.ready({1: 3, 2: 1})
    assert rest is not None
    assert (rest.first, rest.last, rest.deps) == (4, 5, {2: 1})
    assert gate.ready({1: 5, 2: 1}) is None
    assert gate.bytes == 0


def test_many_origins_may_wait_and_be_overtaken() -> None:
    """Each used to take a frame of the stack."""
    gate = Gate()
    origins = range(1, 2000)
    for origin in origins:
        assert gate.hold(op(origin, 1, {5000: 1}), {})
    assert gate.ready(dict.fromkeys(origins, 1)) is None
    assert gate.queues == {}


def test_only_what_the_first_of_each_origin_lacks_is_missing() -> None:
    gate = Gate()
    gate.hold(op(1, 1, {2: 4, 3: 1}), {})
    gate.hold(op(5, 1, {2: 6}), {})
    assert gate.missing({3: 1}) == {2: 6}


def past(rng: Random, regions: int, count: int) -> list[Op]:
    """Operations of some regions that read of each other, in an order that respects causality."""
    seen = {origin: dict[int, int]() for origin in range(1, regions + 1)}
    made: list[Op] = []
    for _ in range(count):
        origin = rng.randint(1, regions)
        vector = seen[origin]
        for each in made:
            if rng.random() < 0.5 and is_ready(each, vector):
                vector[each.origin] = each.last
        others = {other: seq for other, seq in vector.items() if other != origin}
        first = vector.get(origin, 0) + 1
        made.append(op(origin, first, others, effects=rng.randint(1, 3)))
        vector[origin] = made[-1].last
    return made


@pytest.mark.parametrize("seed", range(40))
def test_any_order_ends_in_all_of_them_once_and_never_before_what_they_saw(seed: int) -> None:
    """Rules ORD-10, CAU-2 and CAU-5."""
    rng = Random(seed)
    made = past(rng, 4, 30)
    gate, vector, applied = Gate(300), dict[int, int](), list[Op]()

    def let_through(op: Op) -> None:
        assert is_ready(op, vector)
        vector[op.origin] = op.last
        applied.append(op)

    while len(applied) < len(made):
        for op in rng.sample(made, len(made)):
            if op.last <= vector.get(op.origin, 0):
                continue
            if not is_ready(op, vector):
                gate.hold(op, vector)
                assert gate.bytes <= 300
                continue
            let_through(op)
            while (waiting := gate.ready(vector)) is not None:
                let_through(waiting)
    assert sorted(map(id, applied)) == sorted(map(id, made))
    assert gate.queues == {}
    assert gate.bytes == 0


def test_all_of_one_origin_are_dropped() -> None:
    gate = Gate()
    one, other = make_origin(1), make_origin(2)
    effect = (0x20, b"s", b"m")
    for origin, first in ((one, 2), (one, 5), (other, 2)):
        assert gate.hold(Op(origin, first, 1, {}, (effect,)), {})
    before = gate.bytes
    assert [op.first for op in gate.drop(one)] == [2, 5]
    assert gate.bytes == before // 3
    assert list(gate.queues) == [other]
    assert gate.drop(one) == []
