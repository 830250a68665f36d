"""Blocks, compared with a plain dictionary that is sorted on demand."""

from __future__ import annotations

from random import Random

import pytest

from crdt.structures.blocks import BLOCK_MAX, GROUP_MAX, NOWHERE, Blocks
from crdt.structures.runs import Run

RUN = Run(None, 0, 0, 1 << 40)
"""The run of all elements here."""


def compare(blocks: Blocks, twin: dict[int, int]) -> None:
    """Check that both hold the same, by every method of reading."""
    blocks.check()
    order = sorted(twin)
    size = len(order)
    things = [twin[key] for key in order]
    assert blocks.size == size
    assert blocks.slice(0, size).keys == order
    assert blocks.slice_things(0, size) == things
    for index in range(0, size, max(1, size // 7)):
        assert blocks.thing_at(index) == things[index]
        assert blocks.get(RUN, order[index]) == things[index]
        assert blocks.slice(index, index + 600).keys == order[index : index + 600]
        assert blocks.slice_things(index, index + 600) == things[index : index + 600]
        assert blocks.slice_things(index, index) == []


def fill(
    keys: list[int], block_max: int = BLOCK_MAX, group_max: int = GROUP_MAX
) -> tuple[Blocks, dict[int, int]]:
    """Return blocks and a dictionary with these keys, put in this order."""
    blocks, twin = Blocks(block_max, group_max), dict[int, int]()
    for thing, key in enumerate(keys):
        blocks.put(RUN, key, thing)
        twin[key] = thing
    return blocks, twin


def block_sizes(blocks: Blocks) -> list[int]:
    """Return the number of things in each block."""
    return [len(block.things) for group in blocks.groups for block in group.blocks]


@pytest.mark.parametrize("step", [1, -1])
def test_growth_at_end_leaves_full_blocks(step: int) -> None:
    blocks, twin = fill([step * n for n in range(5000)], group_max=4)
    compare(blocks, twin)
    assert len(block_sizes(blocks)) == 5000 // BLOCK_MAX + 1
    assert len(blocks.groups) == 5000 // BLOCK_MAX // 4 + 1


@pytest.mark.parametrize("group_max", [1, 2, 10])
@pytest.mark.parametrize("block_max", [1, 2, 3, 9])
def test_blocks_and_groups_may_be_small(block_max: int, group_max: int) -> None:
    rng = Random(block_max)
    keys = rng.sample(range(1000), 200)
    blocks, twin = fill(keys, block_max, group_max)
    compare(blocks, twin)
    assert max(block_sizes(blocks)) == block_max
    assert max(len(group.blocks) for group in blocks.groups) <= group_max < 200 / block_max
    assert len(blocks.groups) > 1
    while keys:
        key = keys.pop()
        blocks.drop(blocks.find(RUN, key))
        del twin[key]
        if len(keys) % 20 == 0:
            compare(blocks, twin)


def test_block_value_is_replaced() -> None:
    blocks, twin = fill([n % 1000 for n in range(3000)])
    compare(blocks, twin)


def test_missing_block_item_is_not_found() -> None:
    blocks = Blocks()
    assert blocks.get(RUN, 1) is None
    assert blocks.slice(0, 5).keys == []
    blocks, _ = fill([1, 3, 5])
    for missing in (0, 2, 4, 6):
        assert blocks.find(RUN, missing) == NOWHERE
    assert blocks.get(RUN, 2) is None
    assert blocks.slice_things(1, 99) == [1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_random_growth_and_decay(seed: int) -> None:
    rng = Random(seed)
    keys = rng.sample(range(100_000), 6000)
    blocks, twin = fill(keys, group_max=8)
    compare(blocks, twin)
    while keys:
        for _ in range(rng.randint(1, 900)):
            key = keys.pop()
            blocks.drop(blocks.find(RUN, key))
            del twin[key]
            if not keys:
                break
        compare(blocks, twin)
    assert blocks.groups == []


def test_decay_leaves_few_blocks_and_groups() -> None:
    blocks, twin = fill(list(range(100 * BLOCK_MAX)), group_max=8)
    for key in range(100 * BLOCK_MAX):
        if key % 100:
            blocks.drop(blocks.find(RUN, key))
            del twin[key]
    compare(blocks, twin)
    assert len(block_sizes(blocks)) <= 14 + blocks.size // (BLOCK_MAX // 8)
    assert len(blocks.groups) <= 13


def test_queue_moves_on() -> None:
    blocks, twin = fill([])
    for key in range(10_000):
        blocks.put(RUN, key, key)
        twin[key] = key
        if key >= 700:
            blocks.drop((0, 0, 0))
            del twin[key - 700]
    compare(blocks, twin)
    assert len(block_sizes(blocks)) <= 2 + 700 // BLOCK_MAX
    blocks.clear()
    compare(blocks, {})


def test_removed_blocks_are_freed_group_by_group() -> None:
    blocks, _ = fill(list(range(20)), 2, 4)
    assert len(blocks.groups) == 3
    assert [blocks.free_slice() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("count", [1, 3, 1000])
@pytest.mark.parametrize(("start", "stop"), [(0, 200), (7, 150), (11, 12), (199, 900), (5, 5)])
def test_equal_things_are_found_from_either_end(start: int, stop: int, count: int) -> None:
    blocks = Blocks(5, 3)
    things = [n * n % 7 for n in range(200)]
    for key, thing in enumerate(things):
        blocks.put(RUN, key, thing)
    for thing in (0, 1, 3, 4):  # 3 is no square modulo 7
        places = [n for n in range(200) if things[n] == thing and start <= n < stop]
        assert blocks.matches(thing, start, stop, count) == places[:count]
        assert blocks.matches_from_end(thing, start, stop, count) == places[::-1][:count]
