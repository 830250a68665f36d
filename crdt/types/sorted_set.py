"""Sorted sets: a map of scores, which is sorted once somebody asks for the order.

The members are those of an add-wins set. The score of a member is an assignment plus the increments
that it had not observed (rules ZST-1 to ZST-13, D-07). Scores are binary
floating point as in Redis, summed in order of origin (rule CTR-3).

The order by score and member is created by the first read that needs it, and kept from then on (see
`Ranking`). So a key that is only written costs no sorting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mypy_extensions import mypyc_attr

from crdt.causality.dots import Dot
from crdt.causality.schema import are_resets, is_bytes, is_number, is_seq, is_stamp
from crdt.numbers.number import Number
from crdt.structures.pieces import in_pieces
from crdt.structures.rank_order import Ranked, RankOrder
from crdt.types.components.counter import total_binary
from crdt.types.components.fields import Fields, Thing, names_of, rename_fields
from crdt.types.components.lone_write import LoneScore, LoneWrite, has_short_form
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
STALE_MAX: Final = 500  # members that a question for the order may have to place
BUILT: Final = -1  # the cursor when all members have been placed
LAST_BATCH: Final = -2  # the cursor when no members follow those of the batch
PLACED_PER_WRITE: Final = 2  # more than the one member that a write makes stale


@mypyc_attr(acyclic=True)
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
    """The order of a sorted set's members, kept from the first question for it on.

    Members that were written since the latest question are in `stale`, each with the score that
    `order` has for it, or None. If there are more than `STALE_MAX`, each further write places
    `PLACED_PER_WRITE` of them. So no question has to place many. A member that is written
    repeatedly between two questions moves once.

    A large order is built in slices. Meanwhile `batch` holds names of the members to be placed,
    from `position` on, and `cursor` leads to the next ones. A member that is not there yet is
    treated like one that is: `RankOrder` ignores the removal of a pair that it does not hold, and
    the addition of one that it holds.
    """

    __slots__ = ("batch", "cursor", "order", "position", "stale")

    def __init__(self) -> None:
        self.order: RankOrder = RankOrder([])
        self.stale: dict[bytes, float | None] = {}
        self.batch: list[bytes] = []
        self.position: int = 0
        self.cursor: int = 0

    def is_built(self) -> bool:
        """Return whether every member is in `order` or in `stale`."""
        return self.cursor == BUILT

    def build(self, value: SortedSet, budget: int) -> None:
        """Place up to `budget` members for the first time."""
        if self.position == len(self.batch) and self.cursor != LAST_BATCH:
            self.cursor, self.batch = value.next_names(self.cursor)
            self.position = 0
            if self.cursor == 0:
                self.cursor = LAST_BATCH
        start, self.position = self.position, min(self.position + budget, len(self.batch))
        stale = self.stale
        pairs: list[Ranked] = []
        for member in self.batch[start : self.position]:
            if member in stale:
                before = stale[member]
                if before is not None:  # it may be in `order`, or not
                    self.order.pop(before, member)
                    stale[member] = None
            else:
                score = value.score(member)
                if score is not None:
                    pairs.append((score, member))
        pairs.sort()
        if self.order.size == 0:
            self.order = RankOrder(pairs)
        else:
            for score, member in pairs:
                self.order.put(score, member)
        if self.cursor == LAST_BATCH and self.position == len(self.batch):
            self.cursor = BUILT
            self.batch = []
            self.position = 0

    def place(self, value: SortedSet, left: int) -> None:
        """Place stale members, until `left` of them are left."""
        order, stale = self.order, self.stale
        while len(stale) > left:
            member, before = stale.popitem()
            after = value.score(member)
            if before != after:
                if before is not None:
                    order.pop(before, member)
                if after is not None:
                    order.put(after, member)


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

    def lone(self, dot: Dot, stamp: int, value: Any) -> LoneWrite | None:
        return LoneScore(dot, stamp, float(value)) if has_short_form(value) else None

    def score(self, member: bytes) -> float | None:
        """Return the score of a member, or None if it is missing."""
        thing = self.thing(member)
        return None if thing is None else number_of(thing)

    def held_score(self, member: bytes) -> float:
        """Return the score of a member that must exist."""
        thing = self.thing(member)
        assert thing is not None
        return number_of(thing)

    def prepare_order(self, budget: int) -> bool:
        if self.ranking is None:
            self.ranking = Ranking()
        if not self.ranking.is_built():
            self.ranking.build(self, budget)
        return self.ranking.is_built()

    def ranked(self) -> RankOrder:
        """Return the members in order. The result is valid until the next write.

        O(n log n) the first time, unless `prepare_order` has been called. Later O(log n) for each
        member that was written in between, and for at most `STALE_MAX` of them.
        """
        ranking = self.ranking
        if ranking is None:
            ranking = self.ranking = Ranking()
            ranking.batch = list(self.names())  # to sort all at once is fastest
            ranking.cursor = LAST_BATCH
        while not ranking.is_built():
            ranking.build(self, self.size())
        if ranking.stale:
            ranking.place(self, 0)
        return ranking.order

    def take(self, start: int, stop: int, is_reversed: bool = False) -> list[Ranked]:
        """Return the members with `start` <= rank < `stop`. The caller removes them immediately.

        They leave the order here, which takes less time than to find each of them again. If they
        are not removed after all, the next question for the order places them.
        """
        order = self.ranked()
        start, stop = max(start, 0), min(stop, order.size)
        pairs = order.pairs(start, stop, is_reversed)
        ranking = self.ranking
        if ranking is not None and len(pairs) <= STALE_MAX:
            order.remove_ranks(start, stop)
            for _, member in pairs:
                ranking.stale[member] = None
        return pairs

    def sequence(self) -> list[bytes]:
        return [member for _, member in self.ranked().pairs(0, self.size())]

    def sequence_slices(self, count: int) -> Iterator[list[bytes]]:
        order = self.ranked()
        for start in range(0, order.size, count):
            yield [member for _, member in order.pairs(start, min(start + count, order.size))]

    def drop_index(self) -> list[list[bytes]]:
        ranking, self.ranking = self.ranking, None
        return [] if ranking is None else ranking.order.names

    def before_change(self, field: bytes, thing: Thing | None) -> None:
        ranking = self.ranking
        if ranking is not None:
            stale = ranking.stale
            if len(stale) > STALE_MAX:
                ranking.place(self, len(stale) - PLACED_PER_WRITE)
            if field not in stale:
                stale[field] = None if thing is None else number_of(thing)

    def visible(self) -> object:
        return [(member, self.score(member)) for member in sorted(self.names())]


def number_of(thing: Thing) -> float:
    """Return the visible score of what is stored for a member."""
    if isinstance(thing, LoneScore):
        return thing.value
    assert isinstance(thing, Score)
    return thing.number()


def content(value: SortedSet) -> list[Any]:
    """Return members and scores in turn."""
    return [item for member in value.names() for item in (member, value.score(member))]


def content_size(value: SortedSet) -> int:
    """Return the number of members."""
    return value.size()


def content_pieces(value: SortedSet, size: int) -> Iterator[list[Any]]:
    """Yield members and scores in turn, of about `size` members at a time."""
    for names in in_pieces(value.names(), size):
        scores: list[Any] = []
        for name in names:
            scores += (name, value.held_score(name))
        yield scores


ENCODING_LIMITS: Final = {"zset-max-listpack-entries": 128, "zset-max-listpack-value": 64}


def encoding(value: SortedSet, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a sorted set in Redis."""
    is_packed = value.size() <= limits["zset-max-listpack-entries"]
    is_packed = is_packed and are_short(value.names(), limits["zset-max-listpack-value"])
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
    content_size=content_size,
    content_pieces=content_pieces,
    text_form=TextForm("()", " ", is_by_value=True),
)
