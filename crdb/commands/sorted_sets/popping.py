"""Pops of sorted sets, with or without waiting.

A pop removes the members that this region chose from all regions. Two regions may choose the same
members (rule ZST-9). Members that arrive by replication also serve waiting clients (rule LST-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.pops import Pops
from crdb.commands.shared.typed_values import read_for_next_slice, read_typed_for_write
from crdb.commands.sorted_sets.sorted_sets import append_pairs
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import NOT_POSITIVE, SYNTAX, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.sorted_set import STALE_MAX, SortedSet
from crdt.writes import sorted_set as zset

COMMANDS: Final[CommandFamily] = CommandFamily("sorted-set")
COST: Final = "O(log N) for each member removed, and O(1) for each key before it."


LEAST: Final = 0
GREATEST: Final = -1


def pop_outermost(db: Keyspace, key: bytes, value: SortedSet, end: int) -> tuple[float, bytes]:
    """Remove one member from one end, and return it with its score."""
    start = value.size() - 1 if end == GREATEST else 0
    pairs = value.take(start, start + 1)
    zset.remove(db, key, [pairs[0][1]])
    return pairs[0]


def pop_members(
    client: Client, key: bytes, count: int, end: int, found: list[tuple[float, bytes]]
) -> Iterator[None]:
    """Remove up to `count` members from one end and add them to `found`, the outermost first.
    Removing all of them is one short DEL."""
    db = client.db
    value = read_typed_for_write(db, key, SortedSet)
    assert value is not None, "it is locked"
    size = value.size()
    count = min(count, size)
    is_all = 1 < count == size and not db.is_contested(key)
    piece = client.slice_items if is_all else min(client.slice_items, STALE_MAX)
    for done in range(0, count, piece):
        if done:
            yield
        start, stop = done, min(done + piece, count)
        if done and not is_all:
            value = read_for_next_slice(db, key, SortedSet)
            assert value is not None, "some members are left"
            start, stop = 0, stop - done
        if end == GREATEST:
            top = value.size()
            start, stop = top - stop, top - start
        if is_all:
            found += value.ranked().pairs(start, stop, end == GREATEST)
        else:
            pairs = value.take(start, stop, end == GREATEST)
            found += pairs
            zset.remove(db, key, [member for _, member in pairs])
    if is_all:
        db.delete(key)


@COMMANDS.declare(
    "zpopmin",
    "key [count]",
    "write fast sliced",
    keys="RW access delete",
    since="5.0.0",
    summary="Removes and returns the members with the lowest scores.",
    complexity=COST,
)
def zpopmin(client: Client, args: list[bytes]) -> None:
    pop_from_end(client, args, LEAST)


@COMMANDS.declare(
    "zpopmax",
    "key [count]",
    "write fast sliced",
    keys="RW access delete",
    since="5.0.0",
    summary="Removes and returns the members with the highest scores.",
    complexity=COST,
)
def zpopmax(client: Client, args: list[bytes]) -> None:
    pop_from_end(client, args, GREATEST)


def pop_from_end(client: Client, args: list[bytes], end: int) -> None:
    """Carry out ZPOPMIN or ZPOPMAX. Without a count, RESP3 gives one flat pair."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = arguments.positive(args[2], NOT_POSITIVE) if len(args) == 3 else 1
    db = client.db
    value = read_typed_for_write(db, args[1], SortedSet)
    if value is None or count == 0:
        reply.array(client.out, 0)
        return
    if slicing.must_order(client, args, args[1], value):
        return
    if len(args) == 3:
        slicing.run(client, args, count, pop_steps(client, args[1], count, end))
    else:
        score, member = pop_outermost(db, args[1], value, end)
        reply.array(client.out, 2)
        reply.bulk(client.out, member)
        reply.double(client.out, client.protocol, score)


def pop_steps(client: Client, key: bytes, count: int, end: int) -> Iterator[None]:
    """Pop up to `count` members. Reply with members and scores."""
    found: list[tuple[float, bytes]] = []
    yield from pop_members(client, key, count, end, found)
    reply.array(client.out, len(found) if client.protocol == 3 else 2 * len(found))
    for start in range(0, len(found), client.slice_items):
        append_pairs(client, found[start : start + client.slice_items], True)
        yield
    yield from slicing.empty_list(client, found)


# -- the first of several keys ---------------------------------------------------------------


def pop_one(client: Client, key: bytes, value: SortedSet, _count: int, end: int) -> None:
    """Pop one member. The reply is the key, the member and the score."""
    score, member = pop_outermost(client.db, key, value, end)
    out = client.out
    reply.array(out, 3)
    reply.bulk(out, key)
    reply.bulk(out, member)
    reply.double(out, client.protocol, score)


def pop_many(client: Client, key: bytes, _value: SortedSet, count: int, end: int) -> Iterator[None]:
    """Pop up to `count` members. The reply is the key, and an array for each member."""
    found: list[tuple[float, bytes]] = []
    yield from pop_members(client, key, count, end, found)
    out = client.out
    reply.array(out, 2)
    reply.bulk(out, key)
    reply.array(out, len(found))
    for start in range(0, len(found), client.slice_items):
        for score, member in found[start : start + client.slice_items]:
            reply.array(out, 2)
            reply.bulk(out, member)
            reply.double(out, client.protocol, score)
        yield
    yield from slicing.empty_list(client, found)


POPS: Final = Pops(
    SortedSet,
    {b"MIN": LEAST, b"MAX": GREATEST},
    pop_one=pop_one,
    pop_many=pop_many,
    is_ordered=True,
)


@COMMANDS.declare(
    "zmpop",
    "numkeys key... <where: MIN | MAX> [COUNT count]",
    "write sliced",
    keys="RW access delete",
    since="7.0.0",
    summary="Pops members from the first of several sorted sets that exists.",
    complexity=COST,
)
def zmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_first_key(client, args)


@COMMANDS.declare(
    "bzmpop",
    "timeout numkeys key... <where: MIN | MAX> [COUNT count]",
    "write blocking",
    keys="RW access delete",
    since="7.0.0",
    summary="Pops members from the first of several sorted sets that exists, or waits for one.",
    complexity=COST,
)
def bzmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_first_key_or_wait(client, args)


@COMMANDS.declare(
    "bzpopmin",
    "key... timeout",
    "write blocking fast",
    keys="RW access delete",
    since="5.0.0",
    summary="Pops the member with the lowest score, or waits for one.",
    complexity=COST,
    history=("6.0.0 fractions of seconds as timeout",),
)
def bzpopmin(client: Client, args: list[bytes]) -> None:
    POPS.pop_one_or_wait(client, args, LEAST)


@COMMANDS.declare(
    "bzpopmax",
    "key... timeout",
    "write blocking fast",
    keys="RW access delete",
    since="5.0.0",
    summary="Pops the member with the highest score, or waits for one.",
    complexity=COST,
    history=("6.0.0 fractions of seconds as timeout",),
)
def bzpopmax(client: Client, args: list[bytes]) -> None:
    POPS.pop_one_or_wait(client, args, GREATEST)
