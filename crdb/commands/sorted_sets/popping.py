"""Pops of sorted sets, those that wait included.

A pop removes, everywhere, the members that this region chose; two regions may choose the same (rule
ZST-9). A waiting client is served by members that arrive by replication as well (rule LST-10).
"""

from __future__ import annotations

from typing import Final

from crdb.commands.collections.pops import Pops
from crdb.commands.sorted_sets.sorted_sets import (
    read_sorted_set_for_write,
    remove_members,
    reply_pairs,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.errors import NOT_POSITIVE, SYNTAX, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.sorted_set import SortedSet

LEAST: Final = 0
GREATEST: Final = -1


def take(
    db: Keyspace, key: bytes, value: SortedSet, count: int, end: int
) -> list[tuple[float, bytes]]:
    """Remove up to `count` members from one end; the outermost first."""
    ranked = value.ranked()
    size = len(ranked)
    count = min(count, size)
    start = size - count if end == GREATEST else 0
    pairs = list(ranked.islice(start, start + count, end == GREATEST))
    remove_members(db, key, value, [member for _, member in pairs])
    return pairs


def zpopmin(client: Client, args: list[bytes]) -> None:
    pop(client, args, LEAST)


def zpopmax(client: Client, args: list[bytes]) -> None:
    pop(client, args, GREATEST)


def pop(client: Client, args: list[bytes], end: int) -> None:
    """ZPOPMIN and ZPOPMAX. Without a count, RESP3 gives one flat pair."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = arguments.positive(args[2], NOT_POSITIVE) if len(args) == 3 else 1
    db = client.db
    value = read_sorted_set_for_write(db, args[1])
    if value is None or count == 0:
        reply.array(client.out, 0)
        return
    pairs = take(db, args[1], value, count, end)
    if len(args) == 3:
        reply_pairs(client, pairs)
    else:
        score, member = pairs[0]
        reply.array(client.out, 2)
        reply.bulk(client.out, member)
        reply.double(client.out, client.protocol, score)


# -- the first of several keys ---------------------------------------------------------------


def take_one(client: Client, key: bytes, value: SortedSet, _count: int, end: int) -> None:
    """Pop one member; the reply is the key, the member and the score."""
    score, member = take(client.db, key, value, 1, end)[0]
    out = client.out
    reply.array(out, 3)
    reply.bulk(out, key)
    reply.bulk(out, member)
    reply.double(out, client.protocol, score)


def take_several(client: Client, key: bytes, value: SortedSet, count: int, end: int) -> None:
    """Pop up to `count` members; the reply is the key, and an array for each member."""
    pairs = take(client.db, key, value, count, end)
    out = client.out
    reply.array(out, 2)
    reply.bulk(out, key)
    reply.array(out, len(pairs))
    for score, member in pairs:
        reply.array(out, 2)
        reply.bulk(out, member)
        reply.double(out, client.protocol, score)


POPS: Final = Pops(
    SortedSet, {b"MIN": LEAST, b"MAX": GREATEST}, take_one=take_one, take_several=take_several
)


def zmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_several(client, args)


def bzmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_several_or_wait(client, args)


def bzpopmin(client: Client, args: list[bytes]) -> None:
    POPS.pop_or_wait(client, args, LEAST)


def bzpopmax(client: Client, args: list[bytes]) -> None:
    POPS.pop_or_wait(client, args, GREATEST)


COST: Final = "O(log N) for each member removed, and O(1) for each key before it."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zpopmin", zpopmin, -2, "write fast", keys=(1, 1, 1), group="sorted_set", since="5.0.0",
        summary="Removes and gives the members with the lowest scores.", complexity=COST,
    ),
    Command(
        "zpopmax", zpopmax, -2, "write fast", keys=(1, 1, 1), group="sorted_set", since="5.0.0",
        summary="Removes and gives the members with the highest scores.", complexity=COST,
    ),
    Command(
        "zmpop", zmpop, -4, "write movablekeys", getkeys=POPS.keys_from_1, group="sorted_set",
        since="7.0.0", summary="Pops from the first of several sorted sets that is there.",
        complexity=COST,
    ),
    Command(
        "bzpopmin", bzpopmin, -3, "write blocking fast", keys=(1, -2, 1), group="sorted_set",
        since="5.0.0", summary="Pops a lowest member, and waits for one if there is none.",
        complexity=COST,
    ),
    Command(
        "bzpopmax", bzpopmax, -3, "write blocking fast", keys=(1, -2, 1), group="sorted_set",
        since="5.0.0", summary="Pops a highest member, and waits for one if there is none.",
        complexity=COST,
    ),
    Command(
        "bzmpop", bzmpop, -5, "write blocking movablekeys", getkeys=POPS.keys_from_2,
        group="sorted_set", since="7.0.0",
        summary="Pops from the first sorted set that is there, and waits for one.",
        complexity=COST,
    ),
)  # fmt: skip
