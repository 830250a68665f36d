"""Ranks, ranges and changes of an order, compared with a sorted list of pairs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from random import Random

import pytest

from crdt.structures.rank_order import CHUNK, RankOrder

Pairs = list[tuple[float, bytes]]


def drawn_pair(rng: Random) -> tuple[float, bytes]:
    return float(rng.randrange(8)), b"%d" % rng.randrange(30)


def check_questions(order: RankOrder, pairs: Pairs, rng: Random) -> None:
    """Compare all answers for one pair and one range."""
    score, name = drawn_pair(rng)
    assert len(order) == len(pairs)
    assert order.rank(score, name) == bisect_left(pairs, (score, name))
    assert order.rank_after(score, name) == bisect_right(pairs, (score, name))
    for wanted in (score, score - 0.5):
        assert order.rank_of_score(wanted) == bisect_left(pairs, (wanted, b""))
    start, stop = rng.randrange(-1, len(pairs) + 1), rng.randrange(len(pairs) + 2)
    found = pairs[max(start, 0) : stop]
    assert order.pairs(start, stop) == found
    assert order.pairs(start, stop, is_reversed=True) == found[::-1]
    if 0 <= start < len(pairs):
        assert order.pair_at(start) == pairs[start]


@pytest.mark.parametrize("block_max", [2, 3, 8])
def test_order_is_that_of_sorted_list(block_max: int) -> None:
    rng, present, order = Random(block_max), set[tuple[float, bytes]](), RankOrder([], block_max)
    for step in range(3000):
        pair = drawn_pair(rng)
        if rng.random() < (0.7 if step % 1000 < 500 else 0.3):
            order.put(*pair)
            present.add(pair)
        else:
            order.pop(*pair)
            present.discard(pair)
        if step % 100 == 0:
            start, stop = sorted((rng.randrange(len(order) + 1), rng.randrange(len(order) + 1)))
            present -= set(order.pairs(start, stop))
            order.remove_ranks(start, stop)
        if step % 20 == 0:
            order.check()
            check_questions(order, sorted(present), rng)


def test_order_of_sorted_pairs_is_built_and_emptied() -> None:
    pairs: Pairs = [(float(n // 3), b"%d" % (n % 3)) for n in range(3 * CHUNK + 5)]
    order = RankOrder(pairs, 2)
    order.check()
    assert len(order.chunk_sizes) > 1
    for rank, pair in enumerate(pairs):
        assert (order.rank(*pair), order.pair_at(rank)) == (rank, pair)
    for pair in pairs[::2] + pairs[1::2]:
        order.pop(*pair)
    order.check()
    assert order.pairs(0, 1) == []
    assert order.rank(1.0, b"") == order.rank_after(1.0, b"") == order.rank_of_score(1.0) == 0


def test_small_block_joins_its_neighbour() -> None:
    pairs: Pairs = [(float(n), b"n") for n in range(30)]
    order = RankOrder(pairs, 16)
    for pair in pairs[:10] + pairs[14:24]:
        order.pop(*pair)
    order.check()
    assert len(order.sizes) == 2
    order.pop(*pairs[10])
    order.pop(*pairs[11])
    order.check()
    assert order.pairs(0, 30) == [*pairs[12:14], *pairs[24:]]
    assert len(order.sizes) == 1
