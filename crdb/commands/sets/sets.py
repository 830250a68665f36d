"""Commands on sets: SADD and similar ones.

An add wins over a concurrent remove (rules SET-1 to SET-3). Members that are chosen or computed
here are replicated as adds and removes, never as the command (rules SET-5, ORD-3). The *STORE
commands replace their destination by an observed remove, adds, and the end of its time to live
(D-10).
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import sampling, scanning
from crdb.commands.shared.pops import NUMKEYS_NOT_POSITIVE
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import NOT_POSITIVE, SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.set import Set
from crdt.writes import set as sets

COMMANDS: Final[CommandFamily] = CommandFamily("set")


TOO_MANY_KEYS: Final = b"ERR Number of keys can't be greater than number of args"
LIMIT_NEGATIVE: Final = b"ERR LIMIT can't be negative"


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
    members = dict.fromkeys(args[2:])
    added = len(members)
    if value is not None:
        for member in members:
            if value.has(member):
                added -= 1
    sets.add(db, key, list(members))
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
        reply.integer(client.out, sets.remove(db, args[1], args[2:]))


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
    reply.array(client.out, len(args) - 2)
    for member in args[2:]:
        reply.integer(client.out, int(value is not None and value.has(member)))


@COMMANDS.declare(
    "scard", "key", "readonly fast", keys="RO", summary="Counts the members of a set."
)
def scard(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Set)
    reply.integer(client.out, 0 if value is None else value.size())


@COMMANDS.declare(
    "smembers",
    "key",
    "readonly",
    summary="Returns all members of a set.",
    complexity="O(N) where N is the size of the set.",
    tips="nondeterministic_output_order",
)
def smembers(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Set)
    reply_members(client, [] if value is None else list(value.names()))


@COMMANDS.declare(
    "sscan",
    "key cursor [MATCH pattern] [COUNT count]",
    "readonly",
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
    following, shown = scanning.read_page(args, cursor, value, whole)
    scanning.page_header(client, following, len(shown))
    for member in shown:
        reply.bulk(client.out, member)


# -- random ----------------------------------------------------------------------------------


@COMMANDS.declare(
    "spop",
    "key [count]",
    "write fast",
    keys="RW access delete",
    summary="Removes and returns random members of a set.",
    complexity="O(N) where N is the count.",
    tips="nondeterministic_output",
    history=("3.2.0 argument `count`",),
)
def spop(client: Client, args: list[bytes]) -> None:
    """Remove random members in all regions. Two regions may choose the same members (SET-5)."""
    if len(args) == 3:
        pop_random_members(client, args[1], arguments.positive(args[2], NOT_POSITIVE))
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


def pop_random_members(client: Client, key: bytes, count: int) -> None:
    """Carry out SPOP with a count: at most that many members, all different."""
    db = client.db
    value = read_typed_for_write(db, key, Set)
    chosen: list[bytes] = []
    if value is not None and count > 0:
        chosen = sampling.distinct(value, value.names(), count, client.instance.random)
        if len(chosen) == value.size() and not db.is_contested(key):
            db.delete(key)
        else:
            sets.remove(db, key, chosen)
    reply_members(client, chosen)


@COMMANDS.declare(
    "srandmember",
    "key [count]",
    "readonly",
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
        rng = client.instance.random
        reply.bulks(client.out, sampling.sample(value, value.names(), count, rng))


# -- several sets ----------------------------------------------------------------------------


def read_sets(db: Keyspace, keys: list[bytes]) -> list[Set | None]:
    """Return the sets under `keys`. Raises CommandError if any key holds another type."""
    return [read_typed(db, key, Set) for key in keys]


def smallest_first(values: list[Set | None]) -> list[Set]:
    """Return the sets by size. Return none if one is missing, since the intersection is empty."""
    held = [value for value in values if value is not None]
    if len(held) < len(values):
        return []
    held.sort(key=size_of)
    return held


def intersect(values: list[Set | None]) -> list[bytes]:
    """Return the members that all sets hold, in the order of the smallest set."""
    held = smallest_first(values)
    members = list(held[0].names()) if held else []
    for value in held[1:]:
        others = value.names()
        members = [member for member in members if member in others]
    return members


def count_common(values: list[Set | None], limit: int) -> int:
    """Count the members that all sets hold. Stop at `limit` if it is not 0."""
    held = smallest_first(values)
    found = 0
    for member in held[0].names() if held else ():
        if all(value.has(member) for value in held[1:]):
            found += 1
            if found == limit:
                break
    return found


def size_of(value: Set) -> int:
    """Return the number of members."""
    return value.size()


def unite(values: list[Set | None]) -> list[bytes]:
    """Return the members that any of the sets holds."""
    members: dict[bytes, None] = {}
    for value in values:
        if value is not None:
            for member in value.names():
                members[member] = None
    return list(members)


def subtract(values: list[Set | None]) -> list[bytes]:
    """Return the members that only the first set holds."""
    first = values[0]
    members = [] if first is None else list(first.names())
    for value in values[1:]:
        if value is not None:
            others = value.names()
            members = [member for member in members if member not in others]
    return members


def store_set(client: Client, destination: bytes, members: list[bytes]) -> None:
    """Replace the value of `destination` by a set without time to live. Delete it if empty."""
    db = client.db
    db.delete(destination)
    if members:
        sets.add(db, destination, members)
        db.expire(destination, None)
    reply.integer(client.out, len(members))


@COMMANDS.declare(
    "sinter",
    "key...",
    "readonly",
    summary="Returns the members that all of several sets hold.",
    complexity="O(N*M) where N is the size of the smallest set and M the number of sets.",
    tips="nondeterministic_output_order",
)
def sinter(client: Client, args: list[bytes]) -> None:
    reply_members(client, intersect(read_sets(client.db, args[1:])))


@COMMANDS.declare(
    "sunion",
    "key...",
    "readonly",
    summary="Returns the members that any of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
    tips="nondeterministic_output_order",
)
def sunion(client: Client, args: list[bytes]) -> None:
    reply_members(client, unite(read_sets(client.db, args[1:])))


@COMMANDS.declare(
    "sdiff",
    "key...",
    "readonly",
    summary="Returns the members that only the first of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
    tips="nondeterministic_output_order",
)
def sdiff(client: Client, args: list[bytes]) -> None:
    reply_members(client, subtract(read_sets(client.db, args[1:])))


@COMMANDS.declare(
    "sinterstore",
    "destination key...",
    "write denyoom",
    keys="RW update; RO access",
    summary="Stores the members that all of several sets hold.",
    complexity="O(N*M) where N is the size of the smallest set and M the number of sets.",
)
def sinterstore(client: Client, args: list[bytes]) -> None:
    store_set(client, args[1], intersect(read_sets(client.db, args[2:])))


@COMMANDS.declare(
    "sunionstore",
    "destination key...",
    "write denyoom",
    keys="OW update; RO access",
    summary="Stores the members that any of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
)
def sunionstore(client: Client, args: list[bytes]) -> None:
    store_set(client, args[1], unite(read_sets(client.db, args[2:])))


@COMMANDS.declare(
    "sdiffstore",
    "destination key...",
    "write denyoom",
    keys="OW update; RO access",
    summary="Stores the members that only the first of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
)
def sdiffstore(client: Client, args: list[bytes]) -> None:
    store_set(client, args[1], subtract(read_sets(client.db, args[2:])))


def count_keys(args: list[bytes]) -> int:
    """Parse the number of keys, which follows the command's name. Raises CommandError."""
    count = arguments.parse_integer(args[1])
    if count is None or count < 1:
        raise CommandError(NUMKEYS_NOT_POSITIVE)
    if count > len(args) - 2:
        raise CommandError(TOO_MANY_KEYS)
    return count


@COMMANDS.declare(
    "sintercard",
    "numkeys key... [LIMIT limit]",
    "readonly",
    since="7.0.0",
    summary="Counts the members that all of several sets hold.",
    complexity="O(N*M) where N is the size of the smallest set and M the number of sets.",
)
def sintercard(client: Client, args: list[bytes]) -> None:
    """Count the common members. LIMIT ends the count early."""
    count = count_keys(args)
    limit = 0
    for index in range(2 + count, len(args), 2):
        if not arguments.is_word(args[index], b"LIMIT") or index + 1 == len(args):
            raise CommandError(SYNTAX)
        limit = arguments.positive(args[index + 1], LIMIT_NEGATIVE)
    values = read_sets(client.db, args[2 : 2 + count])
    reply.integer(client.out, count_common(values, limit))
