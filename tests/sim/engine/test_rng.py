"""Named streams of bits: independent of each other, the same for ever, and as likely as they say.

The numbers that are written out here must never change: they are what old seeds mean.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.rng import CELLS, EXPONENTIAL, SCALE, WORD_BITS, SeededRandom, make_generator

BELOW = [99, 937, 186, 84, 521]
WAITS = [107, 733, 1464, 25, 451]


def test_stream_is_its_seed_and_its_name() -> None:
    assert make_generator(7, "a").getrandbits(64) == make_generator(7, "a").getrandbits(64)
    others = {
        make_generator(seed, name).getrandbits(64) for seed in (7, 8) for name in ("a", "b", "a/b")
    }
    assert len(others) == 6


def test_old_seeds_keep_their_meaning() -> None:
    rng = SeededRandom(1, "world")
    assert [rng.integer_below(1000) for _ in range(5)] == BELOW
    assert [rng.exponential(1000) for _ in range(5)] == WAITS


def test_child_depends_on_names_only() -> None:
    drawn = SeededRandom(3, "world")
    drawn.integer_below(10)
    assert drawn.substream("link").name == "world/link"
    assert drawn.substream("link").integer_below(10**9) == SeededRandom(
        3, "world/link"
    ).integer_below(10**9)


@given(st.integers(0, 2**40), st.integers(1, 2**WORD_BITS - 1))
def test_below_keeps_its_limit(seed: int, limit: int) -> None:
    assert 0 <= SeededRandom(seed, "x").integer_below(limit) < limit


@pytest.mark.parametrize("limit", [0, 1 << WORD_BITS])
def test_below_refuses_invalid_limit(limit: int) -> None:
    with pytest.raises(AssertionError):
        SeededRandom(0, "x").integer_below(limit)


def test_between_includes_both_ends() -> None:
    rng = SeededRandom(0, "x")
    assert {rng.integer_between(-1, 1) for _ in range(100)} == {-1, 0, 1}


def test_probabilities_are_exact() -> None:
    rng = SeededRandom(0, "x")
    assert not any(rng.happens_in(0) for _ in range(100))
    assert all(rng.happens_in(100) for _ in range(100))
    assert 150 < sum(rng.happens_in(1, 5) for _ in range(1000)) < 250


def test_some_are_different_and_shuffled_are_all() -> None:
    rng, items = SeededRandom(0, "x"), "abcdef"
    for _ in range(20):
        some = rng.choose_several(items, 3)
        assert len(set(some)) == 3
        assert set(some) <= set(items)
    assert sorted(rng.choose_several(items, 99)) == list(items)
    orders = {"".join(rng.shuffled(items)) for _ in range(20)}
    assert len(orders) > 10
    assert {"".join(sorted(order)) for order in orders} == {items}
    assert {rng.choose_one(items) for _ in range(100)} == set(items)


def test_table_is_that_of_exponential_distribution() -> None:
    assert EXPONENTIAL[0] == 0
    assert list(EXPONENTIAL) == sorted(EXPONENTIAL)
    assert EXPONENTIAL[CELLS // 2] == int(math.log(2) * SCALE)


def test_waits_have_their_mean_and_end() -> None:
    rng = SeededRandom(0, "x")
    waits = [rng.exponential(1_000_000) for _ in range(5000)]
    assert abs(sum(waits) / len(waits) - 1_000_000) < 50_000
    assert 5_000_000 < max(waits) < 9_100_000
    assert min(waits) >= 0
