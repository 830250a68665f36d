"""Commands on members of sorted sets: ZADD, ZINCRBY, ZREM, ZSCORE, ZRANK and similar ones.

The options of ZADD are evaluated here and not replicated (rule ZST-8). The effect is a plain
assignment, or an increment for INCR. An assignment is sent even if it changes nothing, so that it
wins over a concurrent removal (rule ZST-6).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import sampling, scanning, slicing
from crdb.commands.shared.typed_values import (
    read_for_next_slice,
    read_typed,
    read_typed_for_write,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError, wrong_arity
from crdb.resp import reply
from crdb.resp.numbers import format_double
from crdt.errors import NotANumber
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.types.sorted_set import SortedSet
from crdt.writes import sorted_set as zset

COMMANDS: Final[CommandFamily] = CommandFamily("sorted-set")


NOT_A_NUMBER: Final = b"ERR resulting score is not a number (NaN)"
NX_AND_XX: Final = b"ERR XX and NX options at the same time are not compatible"
GT_LT_NX: Final = b"ERR GT, LT, and/or NX options at the same time are not compatible"
ONE_INCREMENT: Final = b"ERR INCR option supports a single increment-element pair"

NX: Final = 1
XX: Final = 2
GT: Final = 4
LT: Final = 8
CH: Final = 16
INCR: Final = 32
ADD_OPTIONS: Final[dict[bytes, int]] = {
    b"NX": NX,
    b"XX": XX,
    b"GT": GT,
    b"LT": LT,
    b"CH": CH,
    b"INCR": INCR,
}


# -- shared by the modules of sorted sets -----------------------------------------------------


def reply_pairs(client: Client, pairs: list[tuple[float, bytes]]) -> None:
    """Reply with members and scores, flat in RESP2 and as an array each in RESP3."""
    out, protocol = client.out, client.protocol
    reply.array(out, len(pairs) if protocol == 3 else 2 * len(pairs))
    for score, member in pairs:
        if protocol == 3:
            reply.array(out, 2)
        reply.bulk(out, member)
        reply.double(out, protocol, score)


def append_pairs(client: Client, pairs: list[tuple[float, bytes]], with_scores: bool) -> None:
    """Reply with members, or with members and scores, without a header."""
    out, protocol = client.out, client.protocol
    for score, member in pairs:
        if with_scores and protocol == 3:
            reply.array(out, 2)
        reply.bulk(out, member)
        if with_scores:
            reply.double(out, protocol, score)


def reply_members(client: Client, pairs: list[tuple[float, bytes]], with_scores: bool) -> None:
    """Reply with members in this order, with or without their scores."""
    if with_scores:
        reply_pairs(client, pairs)
        return
    reply.array(client.out, len(pairs))
    for _, member in pairs:
        reply.bulk(client.out, member)


def remove_members(db: Keyspace, key: bytes, value: SortedSet, members: list[bytes]) -> int:
    """Remove existing members and return their number. Removing all of them is one short DEL."""
    if len(members) > 1 and len(members) == value.size() and not db.is_contested(key):
        db.delete(key)
        return len(members)
    return zset.remove(db, key, members)


# -- ZADD and ZINCRBY ------------------------------------------------------------------------


@COMMANDS.declare(
    "zadd",
    "key [condition: NX | XX] [comparison: GT | LT] [CH:change] [INCR:increment]"
    " (data: score member)...",
    "write denyoom fast",
    keys="RW update",
    since="1.2.0",
    summary="Sets the scores of members of a sorted set, and adds new members.",
    complexity="O(1) for each member; the order is made when it is read.",
    history=(
        "2.4.0 several members",
        "3.0.2 arguments `condition`, `CH` and `INCR`",
        "6.2.0 argument `comparison`",
    ),
)
def zadd(client: Client, args: list[bytes]) -> None:
    """Set scores. One score with one member is the common case; the rest uses `ScoreBatch`."""
    if len(args) > 4 or args[2].upper() in ADD_OPTIONS:
        add_with_options(client, args)
        return
    score = arguments.number(args[2])
    db, key = client.db, args[1]
    value = db.lookup_for_write(key)
    if value is not None and not isinstance(value, SortedSet):
        raise CommandError(WRONG_TYPE)
    is_new = zset.assign_one(db, key, value, args[3], score)
    client.out.append(reply.ONE if is_new else reply.ZERO)


def add_with_options(client: Client, args: list[bytes]) -> None:
    """Carry out ZADD with options or with several members."""
    flags, first = parse_add_options(args)
    if len(args) - first > client.slice_items and not flags & INCR:
        check_add_options(len(args) - first, flags)
        client.hand_over(args, add_many(client, args, flags, first))
        return
    pairs = parse_pairs(args, flags, first)
    db, key = client.db, args[1]
    value = read_typed_for_write(db, key, SortedSet)
    if flags & INCR:
        increment_score(client, key, value, pairs[0], flags)
        return
    reply.integer(client.out, add_scores(db, key, value, pairs, flags))


def add_scores(
    db: Keyspace,
    key: bytes,
    value: SortedSet | None,
    pairs: list[tuple[float, bytes]],
    flags: int,
) -> int:
    """Set scores as the options allow. Return the number that ZADD replies."""
    batch = ScoreBatch(value, flags)
    for score, member in pairs:
        batch.add(score, member)
    if batch.scores:
        flat: list[Any] = []
        for member, score in batch.scores.items():
            flat += (member, score)
        zset.assign(db, key, flat)
    return batch.added + batch.updated if flags & CH else batch.added


def add_many(client: Client, args: list[bytes], flags: int, first: int) -> Iterator[None]:
    """Carry out ZADD of many members, in slices. All scores are checked before the first write.
    They are parsed again then: to keep a million of them would take longer."""
    db, key = client.db, args[1]
    size = 2 * client.slice_items
    for start in range(first, len(args), size):
        parse_pairs(args[start : start + size], 0, 0)
        yield
    count = 0
    for start in range(first, len(args), size):
        pairs = parse_pairs(args[start : start + size], 0, 0)
        read = read_for_next_slice if start > first else read_typed_for_write
        value = read(db, key, SortedSet)
        count += add_scores(db, key, value, pairs, flags)
        yield
    reply.integer(client.out, count)


def parse_add_options(args: list[bytes]) -> tuple[int, int]:
    """Return the options of ZADD as bits, and the index of the first score."""
    flags, index = 0, 2
    while index < len(args):
        option = ADD_OPTIONS.get(args[index].upper())
        if option is None:
            break
        flags |= option
        index += 1
    return flags, index


def parse_pairs(args: list[bytes], flags: int, first: int) -> list[tuple[float, bytes]]:
    """Parse the scores and members of ZADD from `first` on. Raises CommandError.

    Options that contradict each other are refused before the scores are parsed.
    """
    check_add_options(len(args) - first, flags)
    scores = [arguments.number(args[index]) for index in range(first, len(args), 2)]
    return list(zip(scores, args[first + 1 :: 2], strict=True))


def check_add_options(count: int, flags: int) -> None:
    """Raise CommandError for options that contradict each other, or a wrong number of arguments."""
    if count == 0 or count % 2:
        raise CommandError(SYNTAX)
    if flags & NX and flags & XX:
        raise CommandError(NX_AND_XX)
    if (flags & GT and flags & (LT | NX)) or (flags & LT and flags & NX):
        raise CommandError(GT_LT_NX)
    if flags & INCR and count > 2:
        raise CommandError(ONE_INCREMENT)


class ScoreBatch:
    """The assignments of a ZADD of several members. Each sees those before it."""

    __slots__ = ("added", "flags", "scores", "updated", "value")

    def __init__(self, value: SortedSet | None, flags: int) -> None:
        self.value = value
        self.flags = flags
        self.scores: dict[bytes, float] = {}
        self.added = 0
        self.updated = 0

    def add(self, score: float, member: bytes) -> None:
        """Add one score and member, if the options allow it."""
        before = self.scores.get(member)
        if before is None and self.value is not None:
            before = self.value.score(member)
        if not is_allowed(self.flags, before, score):
            return
        if before is None:
            self.added += 1
        elif before != score:
            self.updated += 1
        self.scores[member] = score


def is_allowed(flags: int, before: float | None, after: float) -> bool:
    """Return whether the options of ZADD let a score change from `before` to `after`."""
    if before is None:
        return not flags & XX
    return not (flags & NX or (flags & GT and after <= before) or (flags & LT and after >= before))


def increment_score(
    client: Client,
    key: bytes,
    value: SortedSet | None,
    pair: tuple[float, bytes],
    flags: int,
) -> None:
    """Carry out ZADD INCR or ZINCRBY, if the options allow the increment."""
    delta, member = pair
    if flags != INCR:
        before = None if value is None else value.score(member)
        after = delta if before is None else before + delta
        if after != after and not flags & NX:
            raise CommandError(NOT_A_NUMBER)
        if not is_allowed(flags, before, after):
            reply.null(client.out, client.protocol)
            return
    try:
        score = zset.increment(client.db, key, member, delta)
    except NotANumber as error:
        raise CommandError(NOT_A_NUMBER) from error
    reply.double(client.out, client.protocol, score)


@COMMANDS.declare(
    "zincrby",
    "key increment member",
    "write denyoom fast",
    since="1.2.0",
    summary="Adds to the score of a member.",
    complexity="O(1); the order is made when it is read.",
)
def zincrby(client: Client, args: list[bytes]) -> None:
    delta = arguments.number(args[2])
    value = read_typed_for_write(client.db, args[1], SortedSet)
    increment_score(client, args[1], value, (delta, args[3]), INCR)


# -- members ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "zrem",
    "key member...",
    "write fast",
    keys="RW delete",
    since="1.2.0",
    summary="Removes members from a sorted set.",
    complexity="O(1) for each member; the order is made when it is read.",
    history=("2.4.0 several members",),
)
def zrem(client: Client, args: list[bytes]) -> None:
    """Remove members. Only those that this region sees are removed (ZST-5, ZST-9)."""
    db = client.db
    if read_typed_for_write(db, args[1], SortedSet) is None:
        client.out.append(reply.ZERO)
    else:
        slicing.run(client, args, len(args), slicing.remove_each(client, args, zset.remove))


@COMMANDS.declare(
    "zscore", "key member", "readonly fast", since="1.2.0", summary="Returns the score of a member."
)
def zscore(client: Client, args: list[bytes]) -> None:
    value = client.db.read(args[1])
    score = None
    if isinstance(value, SortedSet):
        score = value.score(args[2])
    elif value is not None:
        raise CommandError(WRONG_TYPE)
    if score is None:
        reply.null(client.out, client.protocol)
    else:
        reply.double(client.out, client.protocol, score)


@COMMANDS.declare(
    "zmscore",
    "key member...",
    "readonly fast",
    since="6.2.0",
    summary="Returns the scores of several members.",
    complexity="O(1) for each member.",
)
def zmscore(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], SortedSet)
    slicing.run(client, args, len(args), send_scores(client, value, args))


def send_scores(client: Client, value: SortedSet | None, args: list[bytes]) -> Iterator[None]:
    """Reply with the scores of the members that a request names."""
    out, protocol, items = client.out, client.protocol, client.slice_items
    reply.array(out, len(args) - 2)
    for index in range(2, len(args)):
        if index % items == 0:
            yield
        score = None if value is None else value.score(args[index])
        if score is None:
            reply.null(out, protocol)
        else:
            reply.double(out, protocol, score)


@COMMANDS.declare(
    "zcard",
    "key",
    "readonly fast",
    keys="RO",
    since="1.2.0",
    summary="Counts the members of a sorted set.",
)
def zcard(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], SortedSet)
    reply.integer(client.out, 0 if value is None else value.size())


@COMMANDS.declare(
    "zrank",
    "key member [WITHSCORE]",
    "readonly fast sliced",
    since="2.0.0",
    summary="Returns the rank of a member, lowest score first.",
    complexity="O(log N)",
    history=("7.2.0 option WITHSCORE",),
)
def zrank(client: Client, args: list[bytes]) -> None:
    reply_rank(client, args, False)


@COMMANDS.declare(
    "zrevrank",
    "key member [WITHSCORE]",
    "readonly fast sliced",
    since="2.0.0",
    summary="Returns the rank of a member, highest score first.",
    complexity="O(log N)",
    history=("7.2.0 option WITHSCORE",),
)
def zrevrank(client: Client, args: list[bytes]) -> None:
    reply_rank(client, args, True)


def reply_rank(client: Client, args: list[bytes], is_reversed: bool) -> None:
    """Reply with the rank of a member from either end, and with its score if requested."""
    if len(args) > 4:
        raise CommandError(wrong_arity(b"zrevrank" if is_reversed else b"zrank"))
    with_score = len(args) == 4
    if with_score and not arguments.is_word(args[3], b"WITHSCORE"):
        raise CommandError(SYNTAX)
    out, protocol = client.out, client.protocol
    value = read_typed(client.db, args[1], SortedSet)
    score = None if value is None else value.score(args[2])
    if value is None or score is None:
        if with_score:
            reply.null_array(out, protocol)
        else:
            reply.null(out, protocol)
        return
    if slicing.must_order(client, args, args[1], value):
        return
    rank = value.ranked().rank(score, args[2])
    if is_reversed:
        rank = value.size() - 1 - rank
    if with_score:
        reply.array(out, 2)
        reply.integer(out, rank)
        reply.double(out, protocol, score)
    else:
        reply.integer(out, rank)


@COMMANDS.declare(
    "zrandmember",
    "key [options: count [WITHSCORES]]",
    "readonly sliced",
    since="6.2.0",
    summary="Returns random members of a sorted set.",
    complexity="O(1) for each member given, once the set has been sampled before.",
    tips="nondeterministic_output",
)
def zrandmember(client: Client, args: list[bytes]) -> None:
    count, with_scores = sampling.parse_options(args, b"WITHSCORES")
    rng = client.instance.random
    value = read_typed(client.db, args[1], SortedSet)
    if count is None:
        member = None if value is None else value.pick(rng)
        reply.bulk_or_null(client.out, client.protocol, member)
    elif value is None:
        reply.array(client.out, 0)
    else:
        sample = sampling.Sample(value, value.names(), rng)
        if with_scores:
            steps = send_sample(client, value, sample, count)
        else:
            steps = slicing.reply_sample(client, sample, count)
        slicing.run(client, args, sample.cost(count), steps)


def send_sample(
    client: Client, value: SortedSet, sample: sampling.Sample, count: int
) -> Iterator[None]:
    """Reply with random members and their scores."""
    yield from sample.choose(count, client.slice_items)
    chosen = sample.chosen
    reply.array(client.out, len(chosen) if client.protocol == 3 else 2 * len(chosen))
    for members in in_pieces(chosen, client.slice_items):
        pairs = [(value.held_score(member), member) for member in members]
        append_pairs(client, pairs, True)
        yield
    yield from slicing.empty_list(client, chosen)


@COMMANDS.declare(
    "zscan",
    "key cursor [MATCH pattern] [COUNT count]",
    "readonly sliced",
    since="2.8.0",
    summary="Iterates over the members and scores of a sorted set, some at each call.",
    complexity="O(1) for each member scanned.",
    tips="nondeterministic_output",
)
def zscan(client: Client, args: list[bytes]) -> None:
    cursor = scanning.parse_cursor(args[2])
    value = read_typed(client.db, args[1], SortedSet)
    if value is None:
        scanning.empty_page(client)
        return
    is_whole = scanning.is_whole(value.names(), cursor)
    whole = value.sequence() if is_whole else None
    scan = scanning.Scan(args, value, whole)
    slicing.run(client, args, scan.cost(value.size()), scan_steps(client, value, scan, cursor))


def scan_steps(
    client: Client, value: SortedSet, scan: scanning.Scan, cursor: int
) -> Iterator[None]:
    """Reply with a page of members and scores."""
    yield from scan.read(cursor, client.slice_items)
    out = client.out
    scanning.page_header(client, scan.following, 2 * len(scan.shown))
    for members in in_pieces(scan.shown, client.slice_items):
        for member in members:
            reply.bulk(out, member)
            reply.bulk(out, format_double(value.held_score(member)))
        yield
