"""The weight of effects, and effects that are applied in parts."""

from __future__ import annotations

import pytest

from crdt import Op
from crdt.causality.dots import make_origin
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.store.steps import (
    PART_ITEMS,
    EffectsStep,
    Waiting,
    count_items,
    effect_weight,
    in_parts,
)
from crdt.store.unsettled import ITEMS_MAX
from crdt.types.components.list_elements import LIST, REMOVE
from crdt.types.set import ADD, SET_TYPE
from crdt.writes import list as lists
from tests.crdt.exchange import regions

K = b"k"
DOT = make_origin(1)


def removal(*counts: int) -> Effect:
    """Return the removal of so many elements of several runs."""
    return (LIST, REMOVE, K, *[(0, DOT, 1, 1, count) for count in counts], (0, DOT, 9))


@pytest.mark.parametrize(
    ("effect", "items", "weight"),
    [
        ((SET_TYPE, ADD, K, b"m"), 0, 1),
        ((SET_TYPE, ADD, K, *[b"m"] * 105), 100, 50),
        (removal(500, 20), 521, 260),
    ],
)
def test_effects_weigh_what_their_elements_do(effect: Effect, items: int, weight: int) -> None:
    assert count_items(effect) == items
    assert effect_weight(effect) == weight


def test_removals_are_divided_between_spans() -> None:
    effect = removal(PART_ITEMS, PART_ITEMS - 1, 1, 2 * PART_ITEMS, 5)
    parts = in_parts(effect)
    assert [len(part) - 3 for part in parts] == [1, 2, 1, 2]
    assert tuple(span for part in parts for span in part[3:]) == effect[3:]
    add: Effect = (SET_TYPE, ADD, K, *[b"m"] * 2 * PART_ITEMS)
    assert in_parts(add) == [add]


def test_long_removal_is_applied_in_slices() -> None:
    here, there = regions(2)
    there.work_in_slices(PART_ITEMS)
    for _ in range(1000):
        lists.push_tail(here.keyspace, K, [b"a"] * 10)
    op = here.seal()
    assert op is not None
    there.accept(Op.from_bytes(op.to_bytes()))
    assert not there.is_settled()
    there.keyspace.settle_all()
    lists.remove_range(here.keyspace, K, 1, 9_999)
    op = here.seal()
    assert op is not None
    assert len(op.effects) == 1
    there.accept(Op.from_bytes(op.to_bytes()))
    sizes: list[int] = []
    while there.work():
        sizes.append(len(there.keyspace.data[K].sequence() or ()))
    assert len(sizes) > ITEMS_MAX // PART_ITEMS
    assert list(there.list("k")) == ["a", "a"]
    assert here.to_bytes() == there.to_bytes()


def test_effects_are_freed_as_they_are_applied() -> None:
    here, there = regions(2)
    for index in range(6):
        here.set("k").add(f"m{index}")
    op = here.seal()
    assert op is not None
    step = EffectsStep()
    for index, effect in enumerate(op.effects):
        step.add(effect, here.origin + op.first + index, Observed({}, op.origin, op.first, op.base))
    content: list[Waiting] = step.take(there.keyspace, K)
    left = [len(content) for _ in step.carry_out_in_slices(there.keyspace, K, content, 2)]
    assert left == [4, 2]
    assert not content
    assert set(there.set("k")) == set(here.set("k"))


def test_short_operation_is_applied_at_once() -> None:
    here, there = regions(2)
    there.work_in_slices(1)
    lists.push_tail(here.keyspace, K, [b"a"] * (ITEMS_MAX // 2))
    op = here.seal()
    assert op is not None
    there.accept(Op.from_bytes(op.to_bytes()))
    assert there.is_settled()
