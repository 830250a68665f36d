"""Sorted sets: a map of scores, which is sorted lazily.

The members are those of an add-wins set. The score of a member is an assignment plus the increments
that it had not observed (rules ZST-1 to ZST-13, D-07). Scores are binary
floating point as in Redis, summed in order of origin (rule CTR-3).

The order by score and member is created by the first read that needs it, and updated by the next
one. So a key that is only written costs no sorting, and a member that is written repeatedly between
two reads moves once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sortedcontainers import SortedList

from crdt.causality.dots import Dot
from crdt.causality.schema import are_resets, is_bytes, is_number, is_seq, is_stamp
from crdt.numbers.number import Number
from crdt.types.components.counter import total_binary
from crdt.types.components.fields import Fields, names_of, rename_fields
from crdt.types.components.register import Register
from crdt.types.definition import (
    Operation,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
    are_short,
)

ZSET: Final = 4
INTEGRAL_MAX: Final = float(1 << 53)
STALE_SHARE: Final = 8  # with more than an eighth of the members moved, sorting again is cheaper
STALE_SLACK: Final = 1024  # small changes of small sets are always applied one by one


class Score(Register):
    """A score: assigned, incremented, or both."""

    __slots__ = ()

    def code(self) -> int:
        return ZSET

    def admits(self, value: object) -> bool:
        return type(value) is int or (type(value) is float and value == value)

    def number(self) -> float:
        """Return the visible score. Minus zero is zero, as in Redis 7.2."""
        score: float = 0.0 if self.dot == 0 else float(self.value)
        if self.shares:
            score = total_binary(self.shares, score)
        return score + 0.0 if score == score else 0.0

    def increments(self) -> list[tuple[Dot, Number]]:
        return [(dot, float(amount)) for dot, amount in super().increments()]

    def visible(self) -> object:
        return self.number()


class Ranking:
    """The members of a sorted set in order, as they were when somebody asked last.

    `scores` are those that `order` knows, `stale` the members written since.
    """

    __slots__ = ("order", "scores", "stale")

    def __init__(self, scores: dict[bytes, float]) -> None:
        self.scores: dict[bytes, float] = scores
        self.order: Any = SortedList([(score, member) for member, score in scores.items()])
        self.stale: set[bytes] = set()

    def place(self, member: bytes, after: float | None) -> None:
        """`member` has now this score, None if it is gone."""
        before = self.scores.get(member)
        if before == after:
            return
        if before is not None:
            self.order.remove((before, member))
            del self.scores[member]
        if after is not None:
            self.order.add((after, member))
            self.scores[member] = after


class SortedSet(Fields):
    """Scores by member."""

    __slots__ = ("ranking",)

    def __init__(self) -> None:
        super().__init__()
        self.ranking: Ranking | None = None

    def code(self) -> int:
        return ZSET

    def make(self) -> Register:
        return Score()

    def score(self, member: bytes) -> float | None:
        """Return the score of a member, or None if it is missing."""
        register = self.fields.get(member)
        if register is None:
            return None
        assert isinstance(register, Score)
        return register.number()

    def held_score(self, member: bytes) -> float:
        """Return the score of a member that must exist."""
        register = self.fields[member]
        assert isinstance(register, Score)
        return register.number()

    def ranked(self) -> Any:
        """Return a `SortedList` of `(score, member)`. It is valid until the next write.

        O(n log n) at first, later O(log n) for each member that was written in between.
        """
        ranking = self.ranking
        if (
            ranking is not None
            and len(ranking.stale) * STALE_SHARE > len(self.fields) + STALE_SLACK
        ):
            ranking = None
        if ranking is None:
            scores: dict[bytes, float] = {}
            for member in self.fields:
                scores[member] = self.held_score(member)
            ranking = self.ranking = Ranking(scores)
        elif ranking.stale:
            for member in ranking.stale:
                ranking.place(member, self.score(member))
            ranking.stale.clear()
        return ranking.order

    def sequence(self) -> list[bytes]:
        return [member for _, member in self.ranked()]

    def changed(self, field: bytes, register: Register | None) -> None:
        ranking = self.ranking
        if ranking is not None:
            ranking.stale.add(field)
            if len(ranking.stale) > len(self.fields) + STALE_SLACK:
                self.ranking = None

    def visible(self) -> object:
        return [(member, self.score(member)) for member in sorted(self.fields)]


def compact(score: float) -> Number:
    """Return the same number, as an integer if that is shorter on the wire."""
    if -INTEGRAL_MAX < score < INTEGRAL_MAX:
        whole = int(score)
        if whole == score:
            return whole
    return score


def content(value: SortedSet) -> list[Any]:
    """Return members and scores in turn."""
    return [item for member in value.fields for item in (member, value.score(member))]


ENCODING_LIMITS: Final = {"zset-max-listpack-entries": 128, "zset-max-listpack-value": 64}


def encoding(value: SortedSet, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a sorted set in Redis."""
    is_packed = len(value.fields) <= limits["zset-max-listpack-entries"]
    is_packed = is_packed and are_short(value.fields, limits["zset-max-listpack-value"])
    return b"listpack" if is_packed else b"skiplist"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="sorted set",
    code=ZSET,
    make=SortedSet,
    operations=(
        Operation(
            "assign",
            (is_stamp,),
            repeated=(is_bytes, is_number),
            is_change_if_seen=True,
            spelling=Spelling("ZADD", SpellingForm.PAIRS),
        ),
        Operation(
            "reset",
            (is_stamp, is_bytes, is_number, are_resets),
            is_change_if_seen=True,
            spelling=Spelling("ZADD", SpellingForm.PAIR),
        ),
        Operation(
            "add",
            (is_bytes, is_seq, is_number),
            is_change_if_seen=True,
            spelling=Spelling("ZINCRBY", SpellingForm.SUM),
        ),
        Operation(
            "remove",
            repeated=(is_bytes,),
            serves_waiters=True,
            spelling=Spelling("ZREM", SpellingForm.NAMES),
        ),
        Operation(
            "erase",
            (is_bytes, are_resets),
            serves_waiters=True,
            spelling=Spelling("ZREM", SpellingForm.NAME),
        ),
    ),
    redis_name=b"zset",
    rename_origins=rename_fields,
    encoding=encoding,
    encoding_limits=ENCODING_LIMITS,
    elements=names_of,
    is_ordered=True,
    content=content,
    text_form=TextForm("()", " ", is_by_value=True),
)
