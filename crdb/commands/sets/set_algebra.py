"""Unions, intersections and differences of sets, which may run in slices.

The *STORE commands replace their destination by an observed remove, adds, and the end of its time
to live (D-10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.pops import NUMKEYS_NOT_POSITIVE
from crdb.commands.shared.typed_values import read_typed
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.structures.table import Table
from crdt.types.set import Set
from crdt.writes import set as sets

COMMANDS: Final[CommandFamily] = CommandFamily("set")


TOO_MANY_KEYS: Final = b"ERR Number of keys can't be greater than number of args"
LIMIT_NEGATIVE: Final = b"ERR LIMIT can't be negative"


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


def size_of(value: Set) -> int:
    """Return the number of members."""
    return value.size()


def is_in_all(member: bytes, values: list[Set]) -> bool:
    """Return whether all sets hold a member."""
    for value in values:
        if not value.has(member):
            return False
    return True


def is_in_any(member: bytes, values: list[Set]) -> bool:
    """Return whether one of several sets holds a member."""
    for value in values:
        if value.has(member):
            return True
    return False


Operation = Callable[[Client, list[Set | None], Table], Iterator[None]]
"""Adds the members of a result, in slices."""


def intersect(client: Client, values: list[Set | None], found: Table) -> Iterator[None]:
    """Find the members that all sets hold, in the order of the smallest set."""
    held = smallest_first(values)
    for members in in_pieces(held[0].names() if held else (), client.slice_items):
        for member in members:
            if is_in_all(member, held):
                found.put(member, None)
        yield


def unite(client: Client, values: list[Set | None], found: Table) -> Iterator[None]:
    """Find the members that any of the sets holds."""
    every = chain.from_iterable([value.names() for value in values if value is not None])
    for members in in_pieces(every, client.slice_items):
        for member in members:
            found.put(member, None)
        yield


def subtract(client: Client, values: list[Set | None], found: Table) -> Iterator[None]:
    """Find the members that only the first set holds."""
    first = values[0]
    others = [value for value in values[1:] if value is not None]
    for members in in_pieces(() if first is None else first.names(), client.slice_items):
        for member in members:
            if not is_in_any(member, others):
                found.put(member, None)
        yield


def reply_result(client: Client, args: list[bytes], operation: Operation) -> None:
    """Reply with the members of a result."""
    values = read_sets(client.db, args[1:])
    slicing.run(client, args, total_size(values), reply_steps(client, values, operation))


def reply_steps(client: Client, values: list[Set | None], operation: Operation) -> Iterator[None]:
    """Compute a result and reply with it."""
    found = Table()
    yield from operation(client, values, found)
    reply.set_header(client.out, client.protocol, len(found))
    yield from slicing.reply_bulks(client, found)
    yield from slicing.empty_table(client, found)


def store_result(client: Client, args: list[bytes], operation: Operation) -> None:
    """Store the members of a result under the first key."""
    values = read_sets(client.db, args[2:])
    slicing.run(client, args, total_size(values), store_steps(client, args[1], values, operation))


def store_steps(
    client: Client, destination: bytes, values: list[Set | None], operation: Operation
) -> Iterator[None]:
    """Replace the value of `destination` by a result, without time to live. Delete it if that is
    empty."""
    db = client.db
    found = Table()
    yield from operation(client, values, found)
    db.delete(destination)
    for members in in_pieces(found, client.slice_items):
        sets.add(db, destination, members)
        yield
    if found:
        db.expire(destination, None)
    reply.integer(client.out, len(found))
    yield from slicing.empty_table(client, found)


def total_size(values: list[Set | None]) -> int:
    """Return the number of members of all sets together."""
    return sum([value.size() for value in values if value is not None])


@COMMANDS.declare(
    "sinter",
    "key...",
    "readonly sliced",
    summary="Returns the members that all of several sets hold.",
    complexity="O(N*M) where N is the size of the smallest set and M the number of sets.",
    tips="nondeterministic_output_order",
)
def sinter(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, intersect)


@COMMANDS.declare(
    "sunion",
    "key...",
    "readonly sliced",
    summary="Returns the members that any of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
    tips="nondeterministic_output_order",
)
def sunion(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, unite)


@COMMANDS.declare(
    "sdiff",
    "key...",
    "readonly sliced",
    summary="Returns the members that only the first of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
    tips="nondeterministic_output_order",
)
def sdiff(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, subtract)


@COMMANDS.declare(
    "sinterstore",
    "destination key...",
    "write denyoom sliced",
    keys="RW update; RO access",
    summary="Stores the members that all of several sets hold.",
    complexity="O(N*M) where N is the size of the smallest set and M the number of sets.",
)
def sinterstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, intersect)


@COMMANDS.declare(
    "sunionstore",
    "destination key...",
    "write denyoom sliced",
    keys="OW update; RO access",
    summary="Stores the members that any of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
)
def sunionstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, unite)


@COMMANDS.declare(
    "sdiffstore",
    "destination key...",
    "write denyoom sliced",
    keys="OW update; RO access",
    summary="Stores the members that only the first of several sets holds.",
    complexity="O(N) where N is the size of all sets together.",
)
def sdiffstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, subtract)


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
    "readonly sliced",
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
    held = smallest_first(values)
    size = held[0].size() if held else 0
    slicing.run(client, args, size, count_common(client, held, limit))


def count_common(client: Client, held: list[Set], limit: int) -> Iterator[None]:
    """Reply with the number of members that all sets hold. Stop at `limit` if it is not 0."""
    found = 0
    for members in in_pieces(held[0].names() if held else (), client.slice_items):
        for member in members:
            if is_in_all(member, held):
                found += 1
                if found == limit:
                    break
        if found == limit > 0:
            break
        yield
    reply.integer(client.out, found)
