"""Ranges as slices: compared with a filter over all members."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.sorted_sets.score_ranges import (
    MemberRange,
    ScoreRange,
    parse_member_limit,
    parse_ranks,
    parse_score_limit,
)
from crdb.engine.errors import CommandError
from crdt.causality.dots import make_origin
from crdt.store.keyspace import Keyspace
from crdt.types.registry import BUILT_IN
from crdt.types.sorted_set import SortedSet
from crdt.writes import sorted_set as zset

INF = float("inf")


def sorted_set(pairs: dict[bytes, float]) -> SortedSet:
    db = Keyspace(make_origin(1), BUILT_IN)
    zset.assign(db, b"z", [item for pair in pairs.items() for item in pair])
    value = db.lookup(b"z")
    assert isinstance(value, SortedSet)
    return value


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (b"1", (1.0, False)),
        (b"(1.5", (1.5, True)),
        (b"-inf", (-INF, False)),
        (b"(+inf", (INF, True)),
        (b"1e999", (INF, False)),
        (b"(-1e999", (-INF, True)),
        (b"1e-999", (0.0, False)),
        (b" 2", (2.0, False)),
        (b"", (0.0, False)),
        (b"(", (0.0, True)),
        (b"0x10", (16.0, False)),
        (b"3\x00x", (3.0, False)),
    ],
)
def test_limits_by_score_are_read_as_c_reads_them(text: bytes, limit: tuple[float, bool]) -> None:
    assert parse_score_limit(text) == limit


@pytest.mark.parametrize("text", [b"x", b"nan", b"1 ", b" ", b"((1", b"[1", b"1x"])
def test_invalid_score_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError):
        parse_score_limit(text)


def test_limits_by_member() -> None:
    assert parse_member_limit(b"-") == parse_member_limit(b"+") == (None, False)
    assert parse_member_limit(b"[") == (b"", False)
    assert parse_member_limit(b"(a[") == (b"a[", True)
    for text in (b"", b"a", b"+a"):
        with pytest.raises(CommandError):
            parse_member_limit(text)


def test_ranks_count_from_both_ends() -> None:
    value = sorted_set({b"%d" % digit: float(digit) for digit in range(5)})
    assert parse_ranks(b"1", b"-2").span(value) == (1, 4)


def test_score_ranges_are_what_filter_gives() -> None:
    rng = Random(1)
    texts = [b"-inf", b"+inf", b"0", b"1", b"-1", b"2.5", b"2", b"-7"]
    for _ in range(300):
        scores = [-INF, INF, 0.0, 1.0, -1.0, 2.5]
        value = sorted_set({b"%d" % n: rng.choice(scores) for n in range(rng.randint(1, 9))})
        low, high = (rng.choice([b"", b"("]) + rng.choice(texts) for _ in "12")
        which = ScoreRange(low, high)
        start, stop = which.span(value)
        given = value.ranked().pairs(start, stop)
        wanted = [
            pair
            for pair in value.ranked().pairs(0, value.size())
            if which.low <= pair[0] <= which.high
        ]
        wanted = [pair for pair in wanted if pair[0] != which.low or not which.low_excluded]
        assert given == [p for p in wanted if p[0] != which.high or not which.high_excluded]


@pytest.mark.parametrize("scores", [(1.0,), (1.0, 2.0)])
def test_member_ranges_are_what_filter_gives(scores: tuple[float, ...]) -> None:
    rng = Random(2)
    for _ in range(500):
        members = [b"%d" % n for n in range(rng.randint(1, 6))]
        value = sorted_set({m: scores[n * len(scores) // 6] for n, m in enumerate(members)})
        low, high = (
            rng.choice([b"-", b"+", b"[%d" % rng.randint(0, 6), b"(%d" % rng.randint(0, 6)])
            for _ in "12"
        )
        which = MemberRange(low, high)
        start, stop = which.span(value)
        given = [member for _, member in value.ranked().pairs(start, stop)]
        reached = [m for m in members if which.is_not_below(m) and which.is_not_above(m)]
        assert given == ([] if which.is_empty else reached)


def test_range_ends_at_first_member_outside() -> None:
    value = sorted_set({b"b": 1.0, b"d": 2.0, b"a": 3.0, b"c": 4.0})
    assert MemberRange(b"[b", b"[c").span(value) == (0, 1)
    assert MemberRange(b"[d", b"+").span(value) == (0, 0)  # the last one is below the range
    assert MemberRange(b"-", b"(b").span(value) == (0, 0)  # the first one is above it
