"""Blocks, compared with a plain dictionary that is sorted on demand."""

from __future__ import annotations

from random import Random

import pytest

from crdt.structures.blocks import BLOCK_MAX, Blocks, Position


def compare(blocks: Blocks, twin: dict[Position, int]) -> None:
    """Check that both hold the same, by every method of reading."""
    blocks.check()
    order = sorted(twin)
    size = len(order)
    assert blocks.size == size
    assert blocks.slice_positions(0, size) == order
    assert blocks.slice_things(0, size) == [twin[position] for position in order]
    for index in range(0, size, max(1, size // 7)):
        assert blocks.thing_at(index) == twin[order[index]]
        assert blocks.get(order[index]) == twin[order[index]]
        assert blocks.slice_positions(index, index + 600) == order[index : index + 600]
        assert blocks.slice_things(index, index) == []


def fill(keys: list[int], block_max: int = BLOCK_MAX) -> tuple[Blocks, dict[Position, int]]:
    """Return blocks and a dictionary with these keys, put in this order."""
    blocks, twin = Blocks(block_max), dict[Position, int]()
    for thing, key in enumerate(keys):
        blocks.put((key,), thing)
        twin[(key,)] = thing
    return blocks, twin


@pytest.mark.parametrize("step", [1, -1])
def test_growth_at_end_leaves_full_blocks(step: int) -> None:
    blocks, twin = fill([step * n for n in range(5000)])
    compare(blocks, twin)
    assert len(blocks.positions) == 5000 // BLOCK_MAX + 1


@pytest.mark.parametrize("block_max", [1, 2, 3, 9])
def test_blocks_may_be_small(block_max: int) -> None:
    rng = Random(block_max)
    keys = rng.sample(range(1000), 200)
    blocks, twin = fill(keys, block_max)
    compare(blocks, twin)
    assert max(map(len, blocks.positions)) == block_max
    while keys:
        key = keys.pop()
        blocks.drop(*blocks.find((key,)))
        del twin[(key,)]
        if len(keys) % 20 == 0:
            compare(blocks, twin)


def test_block_value_is_replaced() -> None:
    blocks, twin = fill([n % 1000 for n in range(3000)])
    compare(blocks, twin)


def test_missing_block_item_is_not_found() -> None:
    blocks = Blocks()
    assert blocks.get((1,)) is None
    assert blocks.slice_positions(0, 5) == []
    blocks, _ = fill([1, 3, 5])
    for missing in (0, 2, 4, 6):
        assert blocks.find((missing,)) == (-1, -1)
    assert blocks.get((2,)) is None
    assert blocks.slice_things(1, 99) == [1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_random_growth_and_decay(seed: int) -> None:
    rng = Random(seed)
    keys = rng.sample(range(100_000), 6000)
    blocks, twin = fill(keys)
    compare(blocks, twin)
    while keys:
        for _ in range(rng.randint(1, 900)):
            key = keys.pop()
            blocks.drop(*blocks.find((key,)))
            del twin[(key,)]
            if not keys:
                break
        compare(blocks, twin)
    assert blocks.positions == []


def test_decay_leaves_few_blocks() -> None:
    blocks, twin = fill(list(range(100 * BLOCK_MAX)))
    for key in range(100 * BLOCK_MAX):
        if key % 100:
            blocks.drop(*blocks.find((key,)))
            del twin[(key,)]
    compare(blocks, twin)
    assert len(blocks.positions) <= 2 + blocks.size // (BLOCK_MAX // 8)


def test_queue_moves_on() -> None:
    blocks, twin = fill([])
    for key in range(10_000):
        blocks.put((key,), key)
        twin[(key,)] = key
        if key >= 700:
            blocks.drop(0, 0)
            del twin[(key - 700,)]
    compare(blocks, twin)
    assert len(blocks.positions) <= 2 + 700 // BLOCK_MAX
    blocks.clear()
    compare(blocks, {})
