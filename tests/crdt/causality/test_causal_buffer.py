"""The causal buffer: its operations, their dependencies and its size."""

from __future__ import annotations

from random import Random

import pytest

from crdt import Op
from crdt.causality.causal_buffer import EFFECT_BYTES, CausalBuffer, is_ready, size_of
from crdt.causality.dots import Vector, make_origin


def op(origin: int, first: int, deps: Vector | None = None, effects: int = 1) -> Op:
    return Op(origin, first, 0, deps or {}, ((2, 0, b"k", b"a"),) * effects)


def test_operation_is_ready_after_its_past() -> None:
    assert is_ready(op(1, 1), {})
    assert not is_ready(op(1, 2), {})
    assert is_ready(op(1, 2, {2: 3}), {1: 1, 2: 3})
    assert not is_ready(op(1, 2, {2: 3}), {1: 1, 2: 2})


def test_waiting_op_is_released_in_order() -> None:
    buffer = CausalBuffer()
    first, second, other = op(1, 1, {2: 1}), op(1, 2), op(3, 1, {1: 2})
    for each in (other, first, second):
        assert buffer.hold(each, {})
    assert buffer.count_bytes() == buffer.bytes > 0
    assert buffer.missing({}) == {1: 2, 2: 1}
    assert buffer.ready({}) is None
    assert buffer.ready({2: 1}) is first
    assert buffer.ready({1: 1, 2: 1}) is second
    assert buffer.ready({1: 2, 2: 1}) is other
    assert buffer.ready({1: 2, 2: 1, 3: 1}) is None
    assert buffer.bytes == 0
    assert buffer.queues == {}


def test_early_operation_waits_for_its_predecessor() -> None:
    buffer = CausalBuffer()
    assert buffer.hold(op(1, 3), {1: 1})
    assert buffer.missing({1: 1}) == {1: 2}
    assert buffer.reached({1: 1, 5: 4}) == {1: 1, 5: 4}
    assert buffer.reached({}) == {}
    assert buffer.hold(op(1, 2, {2: 1}), {1: 1})
    assert buffer.missing({1: 1}) == {2: 1}
    assert buffer.reached({1: 1}) == {1: 3}
    assert buffer.ready({1: 1}) is None
    assert buffer.ready({1: 1, 2: 1}) == op(1, 2, {2: 1})
    assert buffer.ready({1: 2, 2: 1}) == op(1, 3)
    assert buffer.bytes == 0


def test_early_operations_are_kept_in_order() -> None:
    buffer = CausalBuffer()
    for first in (9, 3, 5, 11, 7):
        assert buffer.hold(op(1, first), {})
    assert [each.first for each in buffer.queues[1]] == [3, 5, 7, 9, 11]
    assert buffer.bytes == sum(map(size_of, buffer.queues[1]))


def test_operation_that_closes_gap_replaces_what_it_contains() -> None:
    buffer = CausalBuffer()
    for first, effects in ((2, 2), (5, 1), (7, 1), (9, 3)):
        assert buffer.hold(op(1, first, effects=effects), {})
    assert buffer.hold(op(1, 3, effects=7), {})
    assert [(each.first, each.last) for each in buffer.queues[1]] == [(2, 3), (4, 9), (10, 11)]
    assert buffer.bytes == sum(map(size_of, buffer.queues[1]))
    assert buffer.hold(op(1, 4, effects=2), {}), "already there"
    assert len(buffer.queues[1]) == 3


def test_gap_does_not_get_round_bound() -> None:
    buffer = CausalBuffer(limit=size_of(op(1, 9)))
    assert buffer.hold(op(1, 9), {})
    assert not buffer.hold(op(1, 7), {})
    assert not buffer.hold(op(2, 7), {})
    assert list(buffer.queues) == [1]


def test_waiting_op_is_held_once() -> None:
    buffer = CausalBuffer()
    waiting = op(1, 1, {2: 1})
    assert buffer.hold(waiting, {})
    before = buffer.bytes
    assert buffer.hold(waiting, {})
    assert buffer.bytes == before


def test_causal_buffer_is_bounded() -> None:
    buffer = CausalBuffer(limit=size_of(op(1, 1, {2: 1})))
    assert buffer.hold(op(1, 1, {2: 1}), {})
    assert not buffer.hold(op(3, 1, {2: 1}), {})


def test_op_that_came_another_way_is_dropped() -> None:
    buffer = CausalBuffer()
    assert buffer.hold(op(1, 1, {2: 1}), {})
    assert buffer.hold(op(1, 2), {})
    assert buffer.ready({1: 2}) is None
    assert buffer.bytes == 0


def test_size_of_small_effects_matches_memory() -> None:
    """With a limit on encoded bytes alone, the buffer once took ten times as much memory."""
    buffer = CausalBuffer(limit=1000 * EFFECT_BYTES)
    assert buffer.hold(op(1, 1, {2: 1}, effects=900), {})
    assert not buffer.hold(op(3, 1, {2: 1}, effects=100), {})


def test_only_new_part_of_overlapping_op_is_held() -> None:
    """An operation may have been divided differently on another path."""
    buffer = CausalBuffer()
    assert buffer.hold(op(1, 1, {2: 1}, effects=3), {})
    assert buffer.hold(op(1, 2, {2: 1}, effects=4), {})
    assert [(each.first, each.last) for each in buffer.queues[1]] == [(1, 3), (4, 5)]
    waiting = buffer.ready({1: 2, 2: 1})
    assert waiting is not None
    assert (waiting.first, waiting.last) == (3, 3)
    rest = buffer.ready({1: 3, 2: 1})
    assert rest is not None
    assert (rest.first, rest.last, rest.deps) == (4, 5, {2: 1})
    assert buffer.ready({1: 5, 2: 1}) is None
    assert buffer.bytes == 0


def test_many_origins_may_wait_and_be_overtaken() -> None:
    """Each waiting origin once took a stack frame."""
    buffer = CausalBuffer()
    origins = range(1, 2000)
    for origin in origins:
        assert buffer.hold(op(origin, 1, {5000: 1}), {})
    assert buffer.ready(dict.fromkeys(origins, 1)) is None
    assert buffer.queues == {}


def test_missing_is_of_first_op_per_origin() -> None:
    buffer = CausalBuffer()
    buffer.hold(op(1, 1, {2: 4, 3: 1}), {})
    buffer.hold(op(5, 1, {2: 6}), {})
    assert buffer.missing({3: 1}) == {2: 6}


def past(rng: Random, regions: int, count: int) -> list[Op]:
    """Return operations of some regions that have observed each other's, in a causal order."""
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
def test_any_arrival_order_is_applied_causally_once(seed: int) -> None:
    """Rules ORD-10, CAU-2 and CAU-5."""
    rng = Random(seed)
    made = past(rng, 4, 30)
    buffer, vector, applied = CausalBuffer(300), dict[int, int](), list[Op]()

    def let_through(op: Op) -> None:
        assert is_ready(op, vector)
        vector[op.origin] = op.last
        applied.append(op)

    while len(applied) < len(made):
        for op in rng.sample(made, len(made)):
            if op.last <= vector.get(op.origin, 0):
                continue
            if not is_ready(op, vector):
                buffer.hold(op, vector)
                assert buffer.bytes <= 300
                continue
            let_through(op)
            while (waiting := buffer.ready(vector)) is not None:
                let_through(waiting)
    assert sorted(map(id, applied)) == sorted(map(id, made))
    assert buffer.queues == {}
    assert buffer.bytes == 0


def test_all_of_one_origin_are_dropped() -> None:
    buffer = CausalBuffer()
    one, other = make_origin(1), make_origin(2)
    effect = (2, 0, b"s", b"m")
    for origin, first in ((one, 2), (one, 5), (other, 2)):
        assert buffer.hold(Op(origin, first, 1, {}, (effect,)), {})
    before = buffer.bytes
    assert [op.first for op in buffer.drop(one)] == [2, 5]
    assert buffer.bytes == before // 3
    assert list(buffer.queues) == [other]
    assert buffer.drop(one) == []


def test_held_ops_are_listed_and_dropped() -> None:
    buffer = CausalBuffer()
    assert buffer.is_empty()
    buffer.hold(op(2, 3), {})
    buffer.hold(op(1, 5), {})
    assert not buffer.is_empty()
    assert buffer.origins() == [1, 2]
    assert [each.first for each in buffer.waiting(2)] == [3]
    assert buffer.waiting(9) == ()
    buffer.clear()
    assert buffer.is_empty()
    assert buffer.bytes == 0
