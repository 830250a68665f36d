"""Sorted sets: a map of scores, kept in order once somebody asks for it.

Which members there are is decided as for a set; the score of a surviving member is an assignment
plus the increments that it had not observed (rules ZST-1 to ZST-13, D-07). Scores are binary
floating point as in Redis, summed in order of origin (rule CTR-3).

The order by score and member is made when somebody asks for it, and brought up to date when
somebody asks again. So a key that is only written costs no sorting, and a member that is written
often between two questions moves once.
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
STALE_SHARE: Final = 8  # with more than an eighth of the members moved, sorting anew is cheaper
STALE_SLACK: Final = 64


class Score(Register):
    """A score: assigned, incremented, or both."""

    __slots__ = ()

    def code(self) -> int:
        return ZSET

    def admits(self, value: object) -> bool:
        return type(value) is float or type(value) is int

    def number(self) -> float:
        """The score that readers see; minus zero is zero, as in Redis 7.2."""
        score = 0.0 if self.dot == 0 else float(self.value)
        if self.extra is not None and self.extra.counter is not None:
            score = self.extra.counter.total_binary(score)
        return score + 0.0 if score == score else 0.0

    def visible(self) -> object:
        return self.number()


class SortedSet(Fields):
    """Scores by member."""

    __slots__ = ("index", "scores", "stale")

    def __init__(self) -> None:
        super().__init__()
        self.index: Any = None
        self.scores: dict[bytes, float] = {}
        self.stale: set[bytes] = set()

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

    def held_score(self, member: bytes) -> float:
        """The score of a member that is there."""
        register = self.fields[member]
        assert isinstance(register, Score)
        return register.number()

    def ranked(self) -> Any:
        """A `SortedList` of `(score, member)`, good until the next write.

        O(n log n) the first time, later O(log n) for each member written in between.
        """
        if self.index is None:
            for member, register in self.fields.items():
                assert isinstance(register, Score)
                self.scores[member] = register.number()
            self.index = SortedList([(score, member) for member, score in self.scores.items()])
        elif self.stale:
            for member in self.stale:
                self.place(member)
            self.stale.clear()
        return self.index

    def place(self, member: bytes) -> None:
        """Bring one member of the order up to date."""
        before = self.scores.get(member)
        after = self.score(member)
        if before is not None:
            if before == after:
                return
            self.index.remove((before, member))
        if after is None:
            self.scores.pop(member, None)
        else:
            self.index.add((after, member))
            self.scores[member] = after

    def changed(self, field: bytes, register: Register | None) -> None:
        if self.index is not None:
            self.stale.add(field)
            if len(self.stale) > len(self.scores) // STALE_SHARE + STALE_SLACK:
                self.index = None
                self.scores = {}
                self.stale = set()

    def visible(self) -> object:
        return [(member, self.score(member)) for member in sorted(self.fields)]


def compact(score: float) -> Number:
    """The same number, as an integer where that is shorter on the wire."""
    if score.is_integer() and -INTEGRAL_MAX < score < INTEGRAL_MAX:
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
    if score != score or total != total:
        raise NotANumber("resulting score is not a number (NaN)")
    db.emit((ZSET << 4 | ADD, key, member, birth, compact(total)))
    if held is None:
        return score
    assert isinstance(held, Score)
    return held.number()
