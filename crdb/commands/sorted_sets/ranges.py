"""Ranges of sorted sets: the family of ZRANGE, counts, and removals by range.

A query consists of a range, a direction and a LIMIT. A removal by range removes only the members
that this region sees in it (rule ZST-9).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import (
    read_for_next_slice,
    read_typed,
    read_typed_for_write,
)
from crdb.commands.sorted_sets.score_ranges import (
    MemberRange,
    Range,
    RankRange,
    ScoreRange,
    parse_ranks,
)
from crdb.commands.sorted_sets.sorted_sets import append_pairs, remove_members, reply_members
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.resp import reply
from crdt.structures.table import Table
from crdt.types.sorted_set import STALE_MAX, SortedSet
from crdt.writes import sorted_set as zset

COMMANDS: Final[CommandFamily] = CommandFamily("sorted-set")
RANGE_COST: Final = "O(log N + M) where M is the number of members given."
REMOVE_COST: Final = "O(log N + M) where M is the number of members removed."


LIMIT_BY_RANK: Final = (
    b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
)
SCORES_BY_MEMBER: Final = b"ERR syntax error, WITHSCORES not supported in combination with BYLEX"

ANY: Final = 0
RANK: Final = 1
SCORE: Final = 2
MEMBER: Final = 3
KINDS: Final[dict[bytes, int]] = {b"BYSCORE": SCORE, b"BYLEX": MEMBER}


EVERYTHING: Final = RankRange(0, -1)


class RangeQuery:
    """A query for a range of a sorted set, as the commands of this family write it."""

    __slots__ = ("count", "is_reversed", "kind", "offset", "range", "with_scores")

    def __init__(self, kind: int, is_reversed: bool) -> None:
        self.kind = kind
        self.is_reversed = is_reversed
        self.with_scores = False
        self.offset = 0
        self.count = -1
        self.range: Range = EVERYTHING

    def read_options(self, args: list[bytes], index: int, is_storing: bool) -> None:
        """Parse the options from `index` on.

        Those that the command's name implies are not allowed.
        """
        is_open = self.kind == ANY
        while index < len(args):
            word = args[index].upper()
            if word == b"WITHSCORES" and not is_storing:
                self.with_scores = True
            elif word == b"LIMIT" and index + 2 < len(args):
                self.offset = arguments.integer(args[index + 1])
                self.count = arguments.integer(args[index + 2])
                index += 2
            elif word == b"REV" and is_open and not self.is_reversed:
                self.is_reversed = True
            elif word in KINDS and is_open and self.kind == ANY:
                self.kind = KINDS[word]
            else:
                raise CommandError(SYNTAX)
            index += 1
        if self.kind == ANY:
            self.kind = RANK
        if self.count != -1 and self.kind == RANK:
            raise CommandError(LIMIT_BY_RANK)
        if self.with_scores and self.kind == MEMBER:
            raise CommandError(SCORES_BY_MEMBER)

    def read_range(self, first: bytes, last: bytes) -> None:
        """Parse the limits. A reversed range by score or member has the greater one first."""
        if self.kind == RANK:
            self.range = parse_ranks(first, last)
            return
        if self.is_reversed:
            first, last = last, first
        self.range = ScoreRange(first, last) if self.kind == SCORE else MemberRange(first, last)

    def span(self, value: SortedSet) -> tuple[int, int]:
        """Return the slice of the ranks in range."""
        size = len(value.ranked())
        start, stop = self.range.span(value)
        if self.kind == RANK:
            if self.is_reversed:
                start, stop = size - stop, size - start
        elif self.count != -1 or self.offset != 0:
            start, stop = self.apply_limit(start, stop)
        return start, max(start, stop)

    def pieces(
        self, value: SortedSet, start: int, stop: int, size: int
    ) -> Iterator[list[tuple[float, bytes]]]:
        """Yield the scores and members of a slice in the order of the query, `size` at a time."""
        ranked = value.ranked()
        if self.is_reversed:
            for end in range(stop, start, -size):
                yield ranked.pairs(max(start, end - size), end, True)
        else:
            for begin in range(start, stop, size):
                yield ranked.pairs(begin, min(begin + size, stop))

    def apply_limit(self, start: int, stop: int) -> tuple[int, int]:
        """Apply LIMIT to a slice."""
        if self.offset < 0:
            return 0, 0
        room = stop - start - self.offset
        count = room if self.count < 0 else min(self.count, room)
        if self.is_reversed:
            return stop - self.offset - count, stop - self.offset
        return start + self.offset, start + self.offset + count


def reply_range(client: Client, args: list[bytes], query: RangeQuery) -> None:
    """Parse options and limits, and reply with the members in range."""
    query.read_options(args, 4, False)
    query.read_range(args[2], args[3])
    value = read_typed(client.db, args[1], SortedSet)
    if value is None:
        reply.array(client.out, 0)
        return
    if slicing.must_order(client, args, args[1], value):
        return
    start, stop = query.span(value)
    if stop - start > client.slice_items:
        client.hand_over(args, send_range(client, query, value, start, stop))
        return
    pairs = value.ranked().pairs(start, stop, query.is_reversed) if start < stop else []
    reply_members(client, pairs, query.with_scores)


def send_range(
    client: Client, query: RangeQuery, value: SortedSet, start: int, stop: int
) -> Iterator[None]:
    """Reply with the members in range, in slices."""
    count = stop - start
    is_flat = client.protocol == 2 and query.with_scores
    reply.array(client.out, 2 * count if is_flat else count)
    for pairs in query.pieces(value, start, stop, client.slice_items):
        append_pairs(client, pairs, query.with_scores)
        yield


@COMMANDS.declare(
    "zrange",
    "key start:string stop:string [sortby: BYSCORE | BYLEX] [REV] [LIMIT offset count]"
    " [WITHSCORES]",
    "readonly sliced",
    since="1.2.0",
    summary="Returns the members in a range of ranks, of scores or in lexicographical order.",
    complexity=RANGE_COST,
    history=("6.2.0 arguments `sortby`, `REV` and `LIMIT`",),
)
def zrange(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(ANY, False))


@COMMANDS.declare(
    "zrevrange",
    "key start stop [WITHSCORES]",
    "readonly sliced",
    since="1.2.0",
    summary="Returns the members in a range of ranks, highest score first.",
    complexity=RANGE_COST,
    deprecated="6.2.0 `ZRANGE` with the `REV` argument",
)
def zrevrange(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(RANK, True))


@COMMANDS.declare(
    "zrangebyscore",
    "key min:double max:double [WITHSCORES] [LIMIT offset count]",
    "readonly sliced",
    since="1.0.5",
    summary="Returns the members in a range of scores.",
    complexity=RANGE_COST,
    history=("2.0.0 option `WITHSCORES`",),
    deprecated="6.2.0 `ZRANGE` with the `BYSCORE` argument",
)
def zrangebyscore(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(SCORE, False))


@COMMANDS.declare(
    "zrevrangebyscore",
    "key max:double min:double [WITHSCORES] [LIMIT offset count]",
    "readonly sliced",
    since="2.2.0",
    summary="Returns the members in a range of scores, highest score first.",
    complexity=RANGE_COST,
    history=("2.1.6 limits that are not part of the range",),
    deprecated="6.2.0 `ZRANGE` with the `REV` and `BYSCORE` arguments",
)
def zrevrangebyscore(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(SCORE, True))


@COMMANDS.declare(
    "zrangebylex",
    "key min max [LIMIT offset count]",
    "readonly sliced",
    since="2.8.9",
    summary="Returns the members in a lexicographical range.",
    complexity=RANGE_COST,
    deprecated="6.2.0 `ZRANGE` with the `BYLEX` argument",
)
def zrangebylex(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(MEMBER, False))


@COMMANDS.declare(
    "zrevrangebylex",
    "key max min [LIMIT offset count]",
    "readonly sliced",
    since="2.8.9",
    summary="Returns the members in a lexicographical range, last member first.",
    complexity=RANGE_COST,
    deprecated="6.2.0 `ZRANGE` with the `REV` and `BYLEX` arguments",
)
def zrevrangebylex(client: Client, args: list[bytes]) -> None:
    reply_range(client, args, RangeQuery(MEMBER, True))


@COMMANDS.declare(
    "zrangestore",
    "dst src min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT offset count]",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="6.2.0",
    summary="Stores the members that are in a range.",
    complexity=RANGE_COST,
)
def zrangestore(client: Client, args: list[bytes]) -> None:
    query = RangeQuery(ANY, False)
    query.read_options(args, 5, True)
    query.read_range(args[3], args[4])
    value = read_typed(client.db, args[2], SortedSet)
    if value is None:
        slicing.run(client, args, 0, store_members(client, args[1], Table()))
    elif not slicing.must_order(client, args, args[2], value):
        span = query.span(value)
        steps = store_range(client, args[1], query, value, span)
        slicing.run(client, args, span[1] - span[0], steps)


def store_range(
    client: Client, destination: bytes, query: RangeQuery, value: SortedSet, span: tuple[int, int]
) -> Iterator[None]:
    """Store the members in a slice of the ranks."""
    scores = Table()
    for pairs in query.pieces(value, span[0], span[1], client.slice_items):
        for score, member in pairs:
            scores.put(member, score)
        yield
    yield from store_members(client, destination, scores)


def store_members(client: Client, destination: bytes, scores: Table) -> Iterator[None]:
    """Replace the value of `destination` by a sorted set that does not expire (ZST-10)."""
    db = client.db
    db.delete(destination)
    size = 2 * client.slice_items
    flat: list[Any] = []
    for member, score in scores.items():
        flat += (member, score)
        if len(flat) >= size:
            zset.assign(db, destination, flat)
            flat = []
            yield
    if flat:
        zset.assign(db, destination, flat)
    if scores:
        db.expire(destination, None)
    reply.integer(client.out, len(scores))
    yield from slicing.empty_table(client, scores)


# -- counts ----------------------------------------------------------------------------------


def reply_count(client: Client, args: list[bytes], which: Range) -> None:
    """Reply with the number of members in a range."""
    value = read_typed(client.db, args[1], SortedSet)
    if value is not None and slicing.must_order(client, args, args[1], value):
        return
    start, stop = (0, 0) if value is None else which.span(value)
    reply.integer(client.out, max(stop - start, 0))


@COMMANDS.declare(
    "zcount",
    "key min:double max:double",
    "readonly fast sliced",
    since="2.0.0",
    summary="Counts the members in a range of scores.",
    complexity="O(log N)",
)
def zcount(client: Client, args: list[bytes]) -> None:
    reply_count(client, args, ScoreRange(args[2], args[3]))


@COMMANDS.declare(
    "zlexcount",
    "key min max",
    "readonly fast sliced",
    since="2.8.9",
    summary="Counts the members in a lexicographical range.",
    complexity="O(log N)",
)
def zlexcount(client: Client, args: list[bytes]) -> None:
    reply_count(client, args, MemberRange(args[2], args[3]))


# -- removals --------------------------------------------------------------------------------


def remove_range(client: Client, args: list[bytes], which: Range) -> None:
    """Remove the members that this region sees in a range, and reply with their number."""
    db, key = client.db, args[1]
    value = read_typed_for_write(db, key, SortedSet)
    if value is None:
        reply.integer(client.out, 0)
        return
    if slicing.must_order(client, args, key, value):
        return
    start, stop = which.span(value)
    if client.slice_items < stop - start < value.size():
        client.hand_over(args, remove_many(client, key, start, stop))
        return
    removed = 0
    if start < stop:
        if stop - start == value.size():
            members = list(value.names())
        else:
            members = [member for _, member in value.take(start, stop)]
        removed = remove_members(db, key, value, members)
    reply.integer(client.out, removed)


def remove_many(client: Client, key: bytes, start: int, stop: int) -> Iterator[None]:
    """Remove the members in a slice of the ranks, in slices, and reply with their number."""
    db, piece = client.db, min(client.slice_items, STALE_MAX)
    removed = 0
    for first in range(start, stop, piece):
        if first > start:
            yield
        value = read_for_next_slice(db, key, SortedSet)
        assert value is not None, "some members are left"
        pairs = value.take(start, start + min(piece, stop - first))
        removed += zset.remove(db, key, [member for _, member in pairs])
    reply.integer(client.out, removed)


@COMMANDS.declare(
    "zremrangebyrank",
    "key start stop",
    "write sliced",
    keys="RW delete",
    since="2.0.0",
    summary="Removes the members in a range of ranks.",
    complexity=REMOVE_COST,
)
def zremrangebyrank(client: Client, args: list[bytes]) -> None:
    remove_range(client, args, parse_ranks(args[2], args[3]))


@COMMANDS.declare(
    "zremrangebyscore",
    "key min:double max:double",
    "write sliced",
    keys="RW delete",
    since="1.2.0",
    summary="Removes the members in a range of scores.",
    complexity=REMOVE_COST,
)
def zremrangebyscore(client: Client, args: list[bytes]) -> None:
    remove_range(client, args, ScoreRange(args[2], args[3]))


@COMMANDS.declare(
    "zremrangebylex",
    "key min max",
    "write sliced",
    keys="RW delete",
    since="2.8.9",
    summary="Removes the members in a lexicographical range.",
    complexity=REMOVE_COST,
)
def zremrangebylex(client: Client, args: list[bytes]) -> None:
    remove_range(client, args, MemberRange(args[2], args[3]))
