"""Commands on sets: SADD and similar ones.

An add wins over a concurrent remove (rules SET-1 to SET-3). Members that are chosen or computed
here are replicated as adds and removes, never as the command (rules SET-5, ORD-3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import sampling, scanning, slicing
from crdb.commands.shared.typed_values import (
    read_for_next_slice,
    read_typed,
    read_typed_for_write,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import NOT_POSITIVE, SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.types.set import Set
from crdt.writes import set as sets

COMMANDS: Final[CommandFamily] = CommandFamily("set")


def reply_members(client: Client, members: list[bytes]) -> None:
    """Reply with members in no particular order."""
    out = client.out
    reply.set_header(out, client.protocol, len(members))
    for member in members:
        reply.bulk(out, member)


# -- members ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "sadd",
    "key member...",
    "write denyoom fast",
    keys="RW insert",
    summary="Adds members to a set, which is created if it does not exist.",
    complexity="O(1) for each member.",
    history=("2.4.0 several members",),
)
def sadd(client: Client, args: list[bytes]) -> None:
    """Add members. Members that exist count 0, but win over a concurrent removal (SET-3)."""
    db = client.db
    key = args[1]
    value = db.lookup_for_write(key)
    if value is not None and not isinstance(value, Set):
        raise CommandError(WRONG_TYPE)
    if len(args) == 3:
        member = args[2]
        is_new = value is None or not value.has(member)
        sets.add_one(db, key, member)
        client.out.append(reply.ONE if is_new else reply.ZERO)
        return
    if len(args) > client.slice_items:
        client.hand_over(args, add_many(client, args))
        return
    reply.integer(client.out, add_members(db, key, value, args[2:]))


def add_members(db: Keyspace, key: bytes, value: Set | None, names: list[bytes]) -> int:
    """Add members. Return the number of those that are new."""
    members = dict.fromkeys(names)
    added = len(members)
    if value is not None:
        for member in members:
            if value.has(member):
                added -= 1
    sets.add(db, key, list(members))
    return added


def add_many(client: Client, args: list[bytes]) -> Iterator[None]:
    """Add members in slices."""
    db, key = client.db, args[1]
    added = 0
    for start in range(2, len(args), client.slice_items):
        read = read_for_next_slice if start > 2 else read_typed_for_write
        value = read(db, key, Set)
        added += add_members(db, key, value, args[start : start + client.slice_items])
        yield
    reply.integer(client.out, added)


@COMMANDS.declare(
    "srem",
    "key member...",
    "write fast",
    keys="RW delete",
    summary="Removes members from a set.",
    complexity="O(1) for each member.",
    history=("2.4.0 several members",),
)
def srem(client: Client, args: list[bytes]) -> None:
    """Remove members. Only those that this region sees are removed and replicated (SET-2)."""
    db = client.db
    if read_typed_for_write(db, args[1], Set) is None:
        reply.integer(client.out, 0)
    else:
        slicing.run(client, args, len(args), slicing.remove_each(client, args, sets.remove))


@COMMANDS.declare(
    "smove",
    "source destination member",
    "write fast",
    keys="RW access delete; RW insert",
    summary="Moves a member from one set to another.",
)
def smove(client: Client, args: list[bytes]) -> None:
    db = client.db
    source, destination, member = args[1], args[2], args[3]
    value = read_typed_for_write(db, source, Set)
    if value is None:
        reply.integer(client.out, 0)
        return
    read_typed_for_write(db, destination, Set)
    is_there = value.has(member)
    if is_there and source != destination:
        sets.remove(db, source, [member])
        sets.add(db, destination, [member])
    reply.integer(client.out, int(is_there))


@COMMANDS.declare(
    "sismember",
    "key member",
    "readonly fast",
    keys="RO",
    summary="Returns whether a set has a member.",
)
def sismember(client: Client, args: list[bytes]) -> None:
    value = client.db.read(args[1])
    if value is None:
        client.out.append(reply.ZERO)
    elif isinstance(value, Set):
        client.out.append(reply.ONE if value.has(args[2]) else reply.ZERO)
    else:
        raise CommandError(WRONG_TYPE)


@COMMANDS.declare(
    "smismember",
    "key member...",
    "readonly fast",
    since="6.2.0",
    summary="Returns for each given member whether a set has it.",
    complexity="O(N) where N is the number of things asked for.",
)
def smismember(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Set)
    slicing.run(client, args, len(args), find_members(client, value, args))


def find_members(client: Client, value: Set | None, args: list[bytes]) -> Iterator[None]:
    """Reply for each member that a request names whether the set has it."""
    out, items = client.out, client.slice_items
    reply.array(out, len(args) - 2)
    for index in range(2, len(args)):
        if index % items == 0:
            yield
        out.append(reply.ONE if value is not None and value.has(args[index]) else reply.ZERO)


@COMMANDS.declare(
    "scard", "key", "readonly fast", keys="RO", summary="Counts the members of a set."
)
def scard(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Set)
    reply.integer(client.out, 0 if value is None else value.size())


@COMMANDS.declare(
    "smembers",
    "key",
    "readonly sliced",
    summary="Returns all members of a set.",
    complexity="O(N) where N is the size of the set.",
    tips="nondeterministic_output_order",
)
def smembers(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Set)
    if value is not None and value.size() > client.slice_items:
        client.hand_over(args, send_members(client, value))
        return
    reply_members(client, [] if value is None else list(value.names()))


def send_members(client: Client, value: Set) -> Iterator[None]:
    """Reply with all members, in slices."""
    reply.set_header(client.out, client.protocol, value.size())
    yield from slicing.reply_bulks(client, value.names())


@COMMANDS.declare(
    "sscan",
    "key cursor [MATCH pattern] [COUNT count]",
    "readonly sliced",
    since="2.8.0",
    summary="Iterates over the members of a set, some at each call.",
    complexity="O(1) for each call, O(N) for a whole walk.",
    tips="nondeterministic_output",
)
def sscan(client: Client, args: list[bytes]) -> None:
    cursor = scanning.parse_cursor(args[2])
    value = read_typed(client.db, args[1], Set)
    if value is None:
        scanning.empty_page(client)
        return
    whole = value.names() if scanning.is_whole(value.names(), cursor, integers=True) else None
    scan = scanning.Scan(args, value, whole)
    slicing.run(client, args, scan.cost(value.size()), scan_steps(client, scan, cursor))


def scan_steps(client: Client, scan: scanning.Scan, cursor: int) -> Iterator[None]:
    """Reply with a page of members."""
    yield from scan.read(cursor, client.slice_items)
    scanning.page_header(client, scan.following, len(scan.shown))
    yield from slicing.reply_bulks(client, scan.shown)


# -- random ----------------------------------------------------------------------------------


@COMMANDS.declare(
    "spop",
    "key [count]",
    "write fast sliced",
    keys="RW access delete",
    summary="Removes and returns random members of a set.",
    complexity="O(N) where N is the count.",
    tips="nondeterministic_output",
    history=("3.2.0 argument `count`",),
)
def spop(client: Client, args: list[bytes]) -> None:
    """Remove random members in all regions. Two regions may choose the same members (SET-5)."""
    if len(args) == 3:
        pop_random_members(client, args, arguments.positive(args[2], NOT_POSITIVE))
    elif len(args) > 3:
        raise CommandError(SYNTAX)
    else:
        db = client.db
        value = read_typed_for_write(db, args[1], Set)
        if value is None:
            reply.null(client.out, client.protocol)
        else:
            member = value.pick(client.instance.random)
            sets.remove(db, args[1], [member])
            reply.bulk(client.out, member)


def pop_random_members(client: Client, args: list[bytes], count: int) -> None:
    """Carry out SPOP with a count: at most that many members, all different."""
    value = read_typed_for_write(client.db, args[1], Set)
    if value is None or count == 0:
        reply_members(client, [])
        return
    sample = sampling.Sample(value, value.names(), client.instance.random)
    size = value.size()
    slicing.run(client, args, sample.cost(count), pop_steps(client, args[1], sample, count, size))


def pop_steps(
    client: Client, key: bytes, sample: sampling.Sample, count: int, size: int
) -> Iterator[None]:
    """Remove random members of a set of this size, and reply with them."""
    db, items = client.db, client.slice_items
    yield from sample.choose(count, items)
    chosen = sample.chosen
    if len(chosen) == size and not db.is_contested(key):
        db.delete(key)
    else:
        for members in in_pieces(chosen, items):
            sets.remove(db, key, members)
            yield
    reply.set_header(client.out, client.protocol, len(chosen))
    yield from slicing.reply_bulks(client, chosen)
    yield from slicing.empty_list(client, chosen)


@COMMANDS.declare(
    "srandmember",
    "key [count]",
    "readonly sliced",
    summary="Returns random members of a set.",
    complexity="O(N) where N is the absolute value of the count.",
    tips="nondeterministic_output",
    history=("2.6.0 argument `count`",),
)
def srandmember(client: Client, args: list[bytes]) -> None:
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = sampling.parse_count(args[2]) if len(args) == 3 else None
    value = read_typed(client.db, args[1], Set)
    if count is None:
        member = None if value is None else value.pick(client.instance.random)
        reply.bulk_or_null(client.out, client.protocol, member)
    elif value is None:
        reply.array(client.out, 0)
    else:
        sample = sampling.Sample(value, value.names(), client.instance.random)
        slicing.run(client, args, sample.cost(count), slicing.reply_sample(client, sample, count))
