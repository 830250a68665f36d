"""Commands on hashes: HSET and similar ones.

Fields are added and removed like the members of a set. Each field is a string or a counter (rules
HSH-1 to HSH-7, D-06). An increment is refused by the value that this region sees.
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
from crdb.engine.errors import (
    NAN_OR_INFINITY,
    NOT_A_FLOAT,
    OVERFLOW,
    WRONG_TYPE,
    CommandError,
    wrong_arity,
)
from crdb.resp import reply
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers import long_double
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.types.hash import Hash
from crdt.writes import hash as hashes

COMMANDS: Final[CommandFamily] = CommandFamily("hash", since="2.0.0")


NOT_AN_INTEGER_FIELD: Final = b"ERR hash value is not an integer"
NOT_A_FLOAT_FIELD: Final = b"ERR hash value is not a float"
INFINITE_INCREMENT: Final = b"ERR value is NaN or Infinity"


# -- writing ---------------------------------------------------------------------------------


def write_fields(client: Client, args: list[bytes]) -> int:
    """Write the fields of `args[2:]`, names and values in turn. Return the number of new ones."""
    db = client.db
    key = args[1]
    value = db.lookup_for_write(key)
    if value is not None and not isinstance(value, Hash):
        raise CommandError(WRONG_TYPE)
    if len(args) == 4:
        return int(hashes.assign_one(db, key, value, args[2], args[3]))
    return assign_fields(db, key, value, args[2:])


def assign_fields(db: Keyspace, key: bytes, value: Hash | None, pairs: list[bytes]) -> int:
    """Write several fields. Return the number of new ones."""
    names = dict.fromkeys(pairs[::2])
    created = len(names)
    if value is not None:
        for name in names:
            if value.has(name):
                created -= 1
    hashes.assign(db, key, pairs)
    return created


def write_many(client: Client, args: list[bytes], *, replies_ok: bool) -> Iterator[None]:
    """Write fields in slices."""
    db, key = client.db, args[1]
    created = 0
    size = 2 * client.slice_items
    for start in range(2, len(args), size):
        if start > 2:
            yield
            value = read_for_next_slice(db, key, Hash)
        else:
            value = read_typed_for_write(db, key, Hash)
        created += assign_fields(db, key, value, args[start : start + size])
    if replies_ok:
        reply.ok(client.out)
    else:
        reply.integer(client.out, created)


@COMMANDS.declare(
    "hset",
    "key (data: field value)...",
    "write denyoom fast",
    keys="RW update",
    summary="Sets fields of a hash, which is created if it does not exist.",
    complexity="O(1) for each field.",
    history=("4.0.0 several fields",),
)
def hset(client: Client, args: list[bytes]) -> None:
    if len(args) % 2:
        raise CommandError(wrong_arity(b"hset"))
    if len(args) > client.slice_items:
        client.hand_over(args, write_many(client, args, replies_ok=False))
        return
    reply.integer(client.out, write_fields(client, args))


@COMMANDS.declare(
    "hmset",
    "key (data: field value)...",
    "write denyoom fast",
    keys="RW update",
    summary="Sets fields of a hash. Replies OK.",
    complexity="O(1) for each field.",
    deprecated="4.0.0 `HSET` with multiple field-value pairs",
)
def hmset(client: Client, args: list[bytes]) -> None:
    if len(args) % 2:
        raise CommandError(wrong_arity(b"hmset"))
    if len(args) > client.slice_items:
        client.hand_over(args, write_many(client, args, replies_ok=True))
        return
    write_fields(client, args)
    reply.ok(client.out)


@COMMANDS.declare(
    "hsetnx",
    "key field value",
    "write denyoom fast",
    keys="RW insert",
    summary="Sets a field of a hash if the field does not exist.",
)
def hsetnx(client: Client, args: list[bytes]) -> None:
    db = client.db
    value = read_typed_for_write(db, args[1], Hash)
    is_new = value is None or not value.has(args[2])
    if is_new:
        hashes.assign_one(db, args[1], value, args[2], args[3])
    reply.integer(client.out, int(is_new))


@COMMANDS.declare(
    "hdel",
    "key field...",
    "write fast",
    keys="RW delete",
    summary="Removes fields of a hash.",
    complexity="O(1) for each field.",
    history=("2.4.0 several fields",),
)
def hdel(client: Client, args: list[bytes]) -> None:
    """Remove the fields that this region sees. A concurrent write of a field survives (HSH-6)."""
    db = client.db
    if read_typed_for_write(db, args[1], Hash) is None:
        reply.integer(client.out, 0)
    else:
        slicing.run(client, args, len(args), slicing.remove_each(client, args, hashes.remove))


@COMMANDS.declare(
    "hincrby",
    "key field increment",
    "write denyoom fast",
    summary="Adds an integer to a field, which counts from 0 if it does not exist.",
)
def hincrby(client: Client, args: list[bytes]) -> None:
    """Add to a field. Increments of all regions add up (HSH-4)."""
    db = client.db
    delta = arguments.integer(args[3])
    read_typed_for_write(db, args[1], Hash)
    try:
        total = hashes.increment(db, args[1], args[2], delta)
    except NotANumber:
        raise CommandError(NOT_AN_INTEGER_FIELD) from None
    except CounterOverflow:
        raise CommandError(OVERFLOW) from None
    reply.integer(client.out, total)


@COMMANDS.declare(
    "hincrbyfloat",
    "key field increment:double",
    "write denyoom fast",
    since="2.6.0",
    summary="Adds a number to a field, which counts from 0 if it does not exist.",
)
def hincrbyfloat(client: Client, args: list[bytes]) -> None:
    """Add to a field in long doubles, as Redis does (CTR-3)."""
    db = client.db
    delta = long_double.parse(args[3])
    if delta is None:
        raise CommandError(NOT_A_FLOAT)
    if long_double.is_infinite(delta):
        raise CommandError(INFINITE_INCREMENT)
    value = read_typed_for_write(db, args[1], Hash)
    if value is not None:
        text = value.get(args[2])
        if text is not None and long_double.parse(text) is None:
            raise CommandError(NOT_A_FLOAT_FIELD)
    try:
        text = hashes.increment_decimal(db, args[1], args[2], delta)
    except NotANumber:
        raise CommandError(NAN_OR_INFINITY) from None
    reply.bulk(client.out, text)


# -- reading ---------------------------------------------------------------------------------


@COMMANDS.declare("hget", "key field", "readonly fast", summary="Returns the value of a field.")
def hget(client: Client, args: list[bytes]) -> None:
    value = client.db.read(args[1])
    if value is None:
        reply.null(client.out, client.protocol)
    elif isinstance(value, Hash):
        reply.bulk_or_null(client.out, client.protocol, value.get(args[2]))
    else:
        raise CommandError(WRONG_TYPE)


@COMMANDS.declare(
    "hmget",
    "key field...",
    "readonly fast",
    summary="Returns the values of several fields.",
    complexity="O(N) where N is the number of fields asked for.",
)
def hmget(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    slicing.run(client, args, len(args), send_values(client, value, args))


def send_values(client: Client, value: Hash | None, args: list[bytes]) -> Iterator[None]:
    """Reply with the values of the fields that a request names."""
    out, protocol = client.out, client.protocol
    items = client.slice_items
    reply.array(out, len(args) - 2)
    for index in range(2, len(args)):
        if index % items == 0:
            yield
        text = None if value is None else value.get(args[index])
        reply.bulk_or_null(out, protocol, text)


@COMMANDS.declare(
    "hgetall",
    "key",
    "readonly sliced",
    summary="Returns all fields of a hash with their values.",
    complexity="O(N) where N is the size of the hash.",
    tips="nondeterministic_output_order",
)
def hgetall(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    if value is not None and value.size() > client.slice_items:
        client.hand_over(args, send_fields(client, value, with_names=True))
        return
    pairs = [] if value is None else value.items()
    reply.map_header(client.out, client.protocol, len(pairs))
    reply_pairs(client, pairs)


def send_fields(client: Client, value: Hash, *, with_names: bool) -> Iterator[None]:
    """Reply with the values of all fields, in slices, or with names and values."""
    out = client.out
    if with_names:
        reply.map_header(out, client.protocol, value.size())
    else:
        reply.array(out, value.size())
    items = client.slice_items
    left = items
    for name in value.names():
        if with_names:
            reply.bulk(out, name)
        reply.bulk(out, value.get(name) or b"")
        left -= 1
        if left <= 0:
            yield
            left = items


def send_names(client: Client, value: Hash) -> Iterator[None]:
    """Reply with the names of all fields, in slices."""
    reply.array(client.out, value.size())
    yield from slicing.reply_bulks(client, value.names())


@COMMANDS.declare(
    "hkeys",
    "key",
    "readonly sliced",
    summary="Returns the names of all fields of a hash.",
    complexity="O(N) where N is the size of the hash.",
    tips="nondeterministic_output_order",
)
def hkeys(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    if value is not None and value.size() > client.slice_items:
        client.hand_over(args, send_names(client, value))
        return
    reply.bulks(client.out, [] if value is None else list(value.names()))


@COMMANDS.declare(
    "hvals",
    "key",
    "readonly sliced",
    summary="Returns the values of all fields of a hash.",
    complexity="O(N) where N is the size of the hash.",
    tips="nondeterministic_output_order",
)
def hvals(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    if value is not None and value.size() > client.slice_items:
        client.hand_over(args, send_fields(client, value, with_names=False))
        return
    reply.bulks(client.out, [] if value is None else [text for _, text in value.items()])


@COMMANDS.declare("hlen", "key", "readonly fast", keys="RO", summary="Counts the fields of a hash.")
def hlen(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    reply.integer(client.out, 0 if value is None else value.size())


@COMMANDS.declare(
    "hexists",
    "key field",
    "readonly fast",
    keys="RO",
    summary="Returns whether a hash has a field.",
)
def hexists(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    reply.integer(client.out, int(value is not None and value.has(args[2])))


@COMMANDS.declare(
    "hstrlen",
    "key field",
    "readonly fast",
    keys="RO",
    since="3.2.0",
    summary="Returns the length of a field's value.",
)
def hstrlen(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Hash)
    text = None if value is None else value.get(args[2])
    reply.integer(client.out, 0 if text is None else len(text))


def reply_pairs(client: Client, pairs: list[tuple[bytes, bytes]]) -> None:
    """Reply with fields and values in turn, without a header."""
    out = client.out
    for field, text in pairs:
        reply.bulk(out, field)
        reply.bulk(out, text)


@COMMANDS.declare(
    "hrandfield",
    "key [options: count [WITHVALUES]]",
    "readonly sliced",
    since="6.2.0",
    summary="Returns random fields of a hash.",
    complexity="O(N) where N is the absolute value of the count.",
    tips="nondeterministic_output",
)
def hrandfield(client: Client, args: list[bytes]) -> None:
    count, with_values = sampling.parse_options(args, b"WITHVALUES")
    rng = client.instance.random
    value = read_typed(client.db, args[1], Hash)
    if count is None:
        field = None if value is None else value.pick(rng)
        reply.bulk_or_null(client.out, client.protocol, field)
    elif value is None:
        reply.array(client.out, 0)
    else:
        sample = sampling.Sample(value, value.names(), rng)
        if with_values:
            steps = send_sample(client, value, sample, count)
        else:
            steps = slicing.reply_sample(client, sample, count)
        slicing.run(client, args, sample.cost(count), steps)


def send_sample(client: Client, value: Hash, sample: sampling.Sample, count: int) -> Iterator[None]:
    """Reply with random fields and their values, flat in RESP2 and as an array each in RESP3.

    Fields may repeat, so the reply cannot be a map.
    """
    yield from sample.choose(count, client.slice_items)
    chosen, out = sample.chosen, client.out
    is_flat = client.protocol == 2
    reply.array(out, 2 * len(chosen) if is_flat else len(chosen))
    for fields in in_pieces(chosen, client.slice_items):
        for field in fields:
            if not is_flat:
                reply.array(out, 2)
            reply.bulk(out, field)
            reply.bulk(out, value.get(field) or b"")
        yield
    yield from slicing.empty_list(client, chosen)


@COMMANDS.declare(
    "hscan",
    "key cursor [MATCH pattern] [COUNT count]",
    "readonly sliced",
    since="2.8.0",
    summary="Iterates over the fields of a hash, some at each call.",
    complexity="O(1) for each call, O(N) for a whole walk.",
    tips="nondeterministic_output",
)
def hscan(client: Client, args: list[bytes]) -> None:
    cursor = scanning.parse_cursor(args[2])
    value = read_typed(client.db, args[1], Hash)
    if value is None:
        scanning.empty_page(client)
        return
    whole = value.names() if scanning.is_whole(value.names(), cursor) else None
    scan = scanning.Scan(args, value, whole)
    slicing.run(client, args, scan.cost(value.size()), scan_steps(client, value, scan, cursor))


def scan_steps(client: Client, value: Hash, scan: scanning.Scan, cursor: int) -> Iterator[None]:
    """Reply with a page of fields and values."""
    yield from scan.read(cursor, client.slice_items)
    out = client.out
    scanning.page_header(client, scan.following, 2 * len(scan.shown))
    for fields in in_pieces(scan.shown, client.slice_items):
        for field in fields:
            reply.bulk(out, field)
            reply.bulk(out, value.get(field) or b"")
        yield
