"""Sorted sets: a map of scores, kept in order once somebody asks for it.

Which members there are is decided as for a set; the score of a surviving member is an assignment
plus the increments that it had not observed (rules ZST-1 to ZST-13, D-07). Scores are binary
floating point as in Redis, summed in order of origin (rule CTR-3).

The order by score and member is built at the first range query and kept up from then on, so a key
that is only written costs no sorting.
"""

from __future__ import annotations

from typing import Any, Final

from sortedcontainers import SortedList

from crdt.errors import NotANumber
from crdt.fields import ADD, Fields, assign_fields, remains_of, remove_fields
from crdt.keyspace import Keyspace
from crdt.number import Number
from crdt.register import Register

ZSET: Final = 4
INTEGRAL_MAX: Final = float(1 << 53)


class Score(Register):
    """A score: assigned, incremented, or both."""

    __slots__ = ()

    def code(self) -> int:
        return ZSET

    def admits(self, value: object) -> bool:
        return type(value) is float or type(value) is int

    def number(self) -> float:
        """The score that readers see."""
        base = 0.0 if self.dot == 0 else float(self.value)
        if self.extra is None or self.extra.counter is None:
            return base
        total = self.extra.counter.total_binary(base)
        return 0.0 if total != total else total

    def visible(self) -> object:
        return self.number()


class SortedSet(Fields):
    """Scores by member."""

    __slots__ = ("index", "scores")

    def __init__(self) -> None:
        super().__init__()
        self.index: Any = None
        self.scores: dict[bytes, float] = {}

    def code(self) -> int:
        return ZSET

    def make(self) -> Register:
        return Score()

    def score(self, member: bytes) -> float | None:
        """The score of a member, None if it is not there."""
        register = self.fields.get(member)
        if register is None:
            return None
        assert isinstance(register, Score)
        return register.number()

    def ranked(self) -> Any:
        """A `SortedList` of `(score, member)`. O(n log n) the first time."""
        if self.index is None:
            for member, register in self.fields.items():
                assert isinstance(register, Score)
                self.scores[member] = register.number()
            self.index = SortedList([(score, member) for member, score in self.scores.items()])
        return self.index

    def changed(self, field: bytes, register: Register | None) -> None:
        if self.index is None:
            return
        before = self.scores.get(field)
        if register is None:
            if before is not None:
                self.index.remove((before, field))
                del self.scores[field]
            return
        assert isinstance(register, Score)
        after = register.number()
        if before is None:
            self.index.add((after, field))
        elif before != after:
            self.index.remove((before, field))
            self.index.add((after, field))
        self.scores[field] = after

    def visible(self) -> object:
        return [(member, self.score(member)) for member in sorted(self.fields)]


def compact(score: float) -> Number:
    """The same number, as an integer where that is shorter on the wire."""
    if score.is_integer() and -INTEGRAL_MAX < score < INTEGRAL_MAX and str(score) != "-0.0":
        return int(score)
    return score


def assign(db: Keyspace, key: bytes, pairs: list[Any]) -> None:
    """ZADD: give members scores, given as members and floats in turn."""
    flat: list[Any] = list(pairs)
    for index in range(1, len(flat), 2):
        flat[index] = compact(flat[index])
    assign_fields(db, key, ZSET, flat)


def remove(db: Keyspace, key: bytes, members: list[bytes]) -> int:
    """ZREM: remove members; how many were there."""
    return remove_fields(db, key, ZSET, members)


def increment(db: Keyspace, key: bytes, member: bytes, delta: float) -> float:
    """ZINCRBY: the score afterwards. Raises NotANumber if it would be none."""
    held = remains_of(db, key, ZSET, member)
    birth, total, score = db.seq + 1, delta, delta
    if held is not None:
        assert isinstance(held, Score)
        score = held.number() + delta
        share = held.share(db.origin)
        if share is not None:
            birth, total = share.birth, float(share.sum) + delta
    if score != score:
        raise NotANumber("resulting score is not a number (NaN)")
    db.emit((ZSET << 4 | ADD, key, member, birth, compact(total)))
    return score
