"""The gate against its promise: whatever order operations come in, each is let through once, and
after all that it saw (rules CAU-2, CAU-5)."""

from __future__ import annotations

from random import Random

import pytest

from crdt.causal import Gate, is_ready
from crdt.dots import Vector
from crdt.op import Op


def operation(origin: int, first: int, deps: Vector | None = None, *, effects: int = 1) -> Op:
    return Op(origin, first, 0, deps or {}, ((0x20, b"k", b"m"),) * effects)


def past(rng: Random, regions: int, count: int) -> list[Op]:
    """Operations of some regions that read of each other, in an order that respects causality."""
    seen = {origin: dict[int, int]() for origin in range(1, regions + 1)}
    made: list[Op] = []
    for _ in range(count):
        origin = rng.randint(1, regions)
        vector = seen[origin]
        for op in made:
            if rng.random() < 0.5 and is_ready(op, vector):
                vector[op.origin] = op.last
        others = {other: seq for other, seq in vector.items() if other != origin}
        first = vector.get(origin, 0) + 1
        made.append(operation(origin, first, others, effects=rng.randint(1, 3)))
        vector[origin] = made[-1].last
    return made


def test_an_operation_is_ready_when_it_is_the_next_and_all_it_saw_is_here() -> None:
    op = operation(1, 3, {2: 4})
    assert is_ready(op, {1: 2, 2: 4})
    assert is_ready(op, {1: 2, 2: 9})
    assert not is_ready(op, {1: 2, 2: 3})
    assert not is_ready(op, {1: 2})
    assert not is_ready(op, {1: 1, 2: 4})
    assert not is_ready(op, {1: 3, 2: 4})


def test_what_leaves_a_gap_is_refused_and_what_waits_already_is_not_kept_twice() -> None:
    gate = Gate()
    assert not gate.hold(operation(1, 2), {})
    assert gate.bytes == 0
    first, second = operation(1, 1, {2: 1}), operation(1, 2, effects=2)
    assert gate.hold(first, {})
    assert gate.hold(second, {})
    size = gate.bytes
    assert size == len(first.to_bytes()) + len(second.to_bytes())
    assert gate.hold(first, {})
    assert gate.bytes == size
    assert not gate.hold(operation(1, 5), {})
    assert gate.hold(operation(1, 4), {})


def test_room_is_bounded_in_bytes_and_comes_back() -> None:
    waiting, next_one = operation(1, 1, {2: 1}), operation(1, 2)
    gate = Gate(len(waiting.to_bytes()))
    assert gate.hold(waiting, {})
    assert not gate.hold(next_one, {})
    assert gate.ready({2: 1}) is waiting
    assert gate.bytes == 0
    assert gate.hold(next_one, {1: 1, 2: 1})


def test_what_has_come_another_way_is_dropped() -> None:
    gate = Gate()
    for op in (operation(1, 1, {9: 1}), operation(1, 2), operation(2, 1, {9: 1})):
        assert gate.hold(op, {})
    assert gate.ready({1: 2}) is None
    assert list(gate.queues) == [2]
    assert gate.ready({2: 1}) is None
    assert gate.queues == {}
    assert gate.bytes == 0


def test_an_operation_may_follow_one_that_was_just_let_through() -> None:
    gate = Gate()
    first = operation(1, 1, {2: 1})
    assert gate.hold(first, {})
    assert gate.ready({2: 1}) is first
    assert gate.hold(operation(1, 2, {2: 2}), {1: 1, 2: 1})
    assert gate.missing({1: 1, 2: 1}) == {2: 2}


def test_what_is_missing_is_named_with_the_furthest_that_is_waited_for() -> None:
    gate = Gate()
    gate.hold(operation(1, 1, {3: 2, 4: 1}), {})
    gate.hold(operation(1, 2, {3: 9}), {})
    gate.hold(operation(2, 1, {3: 5, 4: 6}), {})
    assert gate.missing({4: 1}) == {3: 5, 4: 6}
    assert gate.missing({3: 5, 4: 6}) == {}


@pytest.mark.parametrize("seed", range(40))
def test_any_order_ends_in_all_of_them_once_and_never_before_what_they_saw(seed: int) -> None:
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
