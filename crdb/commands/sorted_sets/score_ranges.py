"""Ranges of a sorted set: by rank, by score, or by member.

Each kind of range is converted to a slice `start:stop` of the ordered members. Ranges by member
make sense if all scores are equal, and are found by bisection then. If scores differ, the result is
that of a walk along the order, as in Redis.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

from crdb.commands.shared.index_ranges import clamp
from crdb.engine import arguments
from crdb.engine.errors import CommandError
from crdt.types.sorted_set import SortedSet

NOT_A_SCORE: Final = b"ERR min or max is not a float"
NOT_A_MEMBER: Final = b"ERR min or max not valid string range item"
LEADING_SPACE: Final = b" \t\n\v\f\r"


class Range(Protocol):
    """A range of a sorted set."""

    def span(self, value: SortedSet) -> tuple[int, int]:
        """Return `start` and `stop` of the slice. It is empty if `start` >= `stop`."""
        ...


class RankRange:
    """A range between two ranks, both included. Negative ranks count from the end."""

    __slots__ = ("first", "last")

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last

    def span(self, value: SortedSet) -> tuple[int, int]:
        """Return `start` and `stop` of the slice."""
        return clamp(self.first, self.last, value.size())


class ScoreRange:
    """A range of scores from `low` to `high`. Either limit may be excluded."""

    __slots__ = ("high", "high_excluded", "low", "low_excluded")

    def __init__(self, low: bytes, high: bytes) -> None:
        self.low, self.low_excluded = parse_score_limit(low)
        self.high, self.high_excluded = parse_score_limit(high)

    def span(self, value: SortedSet) -> tuple[int, int]:
        """Return `start` and `stop` of the slice."""
        start = first_rank(value, self.low, self.low_excluded)
        return start, first_rank(value, self.high, not self.high_excluded)


class MemberRange:
    """A range of members from `low` to `high` as byte strings. None means no limit."""

    __slots__ = ("high", "high_excluded", "is_empty", "low", "low_excluded")

    def __init__(self, low: bytes, high: bytes) -> None:
        self.low, self.low_excluded = parse_member_limit(low)
        self.high, self.high_excluded = parse_member_limit(high)
        self.is_empty = low == b"+" or high == b"-"

    def span(self, value: SortedSet) -> tuple[int, int]:
        """Return `start` and `stop` of the slice."""
        if self.is_empty:
            return 0, 0
        ranked = value.ranked()
        start, stop = 0, len(ranked)
        score = ranked.pair_at(0)[0]
        if score != ranked.pair_at(stop - 1)[0]:
            return self.first_run(value.sequence())
        low, high = self.low, self.high
        if low is not None:
            find = ranked.rank_after if self.low_excluded else ranked.rank
            start = find(score, low)
        if high is not None:
            find = ranked.rank if self.high_excluded else ranked.rank_after
            stop = find(score, high)
        return start, stop

    def first_run(self, members: list[bytes]) -> tuple[int, int]:
        """Return the slice of the first run of members in range, regardless of scores."""
        if not (self.is_not_below(members[-1]) and self.is_not_above(members[0])):
            return 0, 0
        start = 0
        while not self.is_not_below(members[start]):
            start += 1
        stop = start
        while stop < len(members) and self.is_not_above(members[stop]):
            stop += 1
        return start, stop

    def is_not_below(self, member: bytes) -> bool:
        """Return whether `member` is not below the range."""
        low = self.low
        return low is None or member > low or (member == low and not self.low_excluded)

    def is_not_above(self, member: bytes) -> bool:
        """Return whether `member` is not above the range."""
        high = self.high
        return high is None or member < high or (member == high and not self.high_excluded)


def first_rank(value: SortedSet, score: float, is_excluded: bool) -> int:
    """Return the rank of the first member with at least `score`, or above it if excluded."""
    ranked = value.ranked()
    if is_excluded:
        if score == math.inf:
            return value.size()
        score = math.nextafter(score, math.inf)
    return ranked.rank_of_score(score)


def parse_score_limit(argument: bytes) -> tuple[float, bool]:
    """Parse a limit by score. Return it, and whether it is excluded.

    It is read as C does, so `1e999` is infinite.
    """
    is_excluded = argument.startswith(b"(")
    text = argument[is_excluded:].split(b"\x00", 1)[0]
    number = text.lstrip(LEADING_SPACE)
    if text == b"":
        return 0.0, is_excluded
    score = arguments.parse_float(number)
    if score is None and arguments.DECIMAL.fullmatch(number):
        score = float(number)
    if score is None:
        raise CommandError(NOT_A_SCORE)
    return score, is_excluded


def parse_member_limit(argument: bytes) -> tuple[bytes | None, bool]:
    """Parse a limit by member. Return it, None for `-` and `+`, and whether it is excluded."""
    if argument in (b"-", b"+"):
        return None, False
    if argument[:1] not in (b"(", b"["):
        raise CommandError(NOT_A_MEMBER)
    return argument[1:], argument[:1] == b"("


def parse_ranks(first: bytes, last: bytes) -> RankRange:
    """Parse a range by rank."""
    return RankRange(arguments.integer(first), arguments.integer(last))
