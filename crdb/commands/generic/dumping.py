"""DUMP and RESTORE: values in the serialisation of Redis. MIGRATE is refused.

A restored value is new content, like a copy: its elements get new dots, and with REPLACE it
replaces what this region has observed (rules KEY-8, D-09). What a payload contains is checked
completely before anything is written.

A HyperLogLog is a string in Redis. DUMP returns this string, and RESTORE of such a string makes a
HyperLogLog, as GET and SET do (rules HLL-5, HLL-6).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from crdb.commands.family import CommandFamily
from crdb.commands.generic import copying
from crdb.commands.shared import slicing
from crdb.commands.strings.hyperloglog_strings import assign_hyperloglog, find_hyperloglog
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.rdb.decoder import HASH, STRING, ZSET, RdbValue, decode_in_slices
from crdb.rdb.encoder import TYPES, encode_header, encode_items
from crdb.rdb.errors import RdbError
from crdb.rdb.payload import check_in_slices, seal, seal_in_slices
from crdb.rdb.source import RdbSource
from crdb.resp import reply
from crdt.causality.schema import DEADLINE_MAX
from crdt.store.keyspace import Keyspace
from crdt.store.uses import store_use
from crdt.structures.pieces import in_pieces
from crdt.types.base import Value
from crdt.writes.content import put
from crdt.writes.content_writers import CONTENT_WRITERS

COMMANDS: Final[CommandFamily] = CommandFamily("generic", since="2.6.0")

BUSY_KEY: Final = b"BUSYKEY Target key name already exists."
BAD_PAYLOAD: Final = b"ERR DUMP payload version or checksum are wrong"
BAD_DATA: Final = b"ERR Bad data format"
BAD_TTL: Final = b"ERR Invalid TTL value, must be >= 0"
BAD_IDLE_TIME: Final = b"ERR Invalid IDLETIME value, must be >= 0"
BAD_FREQUENCY: Final = b"ERR Invalid FREQ value, must be >= 0 and <= 255"
TOO_LATE: Final = b"ERR invalid expire time in 'restore' command"
NO_STREAMS: Final = (
    b"ERR DUMP of a stream is not supported by crdb. Copy its entries with XRANGE and XADD"
)
NO_DOCUMENTS: Final = (
    b"ERR DUMP of a JSON document is not supported by crdb: its serialisation in Redis is that of "
    b"a module. Copy it with JSON.GET and JSON.SET"
)
NO_MIGRATION: Final = (
    b"ERR MIGRATE is not supported by crdb: a region does not write to other servers. Use DUMP and "
    b"RESTORE, or let the other instance follow this one"
)
NO_FIELD_DEADLINES: Final = (
    b"ERR DUMP of a hash with fields that expire is not supported by crdb: Redis 7.2 has no form "
    b"for their deadlines. Remove them with HPERSIST, or use COPY"
)
PAIRED: Final = (HASH, ZSET)
FREQUENCY_MAX: Final = 255
TEXT_BYTES: Final = 64
"""The bytes of a text that take as long as one item of other work."""
ELEMENT_BYTES: Final = 4
"""The bytes of a payload that may hold one element."""


@COMMANDS.declare(
    "dump",
    "key",
    "readonly sliced",
    summary="Returns a value in the serialisation of Redis.",
    complexity="O(N) for N elements or bytes.",
    tips="nondeterministic_output",
)
def dump(client: Client, args: list[bytes]) -> None:
    db = client.db
    value = db.read(args[1])
    if value is None:
        reply.null(client.out, client.protocol)
        return
    registers = find_hyperloglog(client, value)
    if registers is not None:
        reply.bulk(client.out, seal([encode_header(STRING, 1), encode_items([registers])]))
        return
    definition = db.types.definition(value)
    if definition.redis_name not in TYPES or definition.content is None:
        raise CommandError(NO_STREAMS if definition.redis_name == b"stream" else NO_DOCUMENTS)
    text = value.text()
    items = copying.size_of(db, value) if text is None else len(text) // TEXT_BYTES
    slicing.run(client, args, items, dump_steps(client, value))


def dump_steps(client: Client, value: Value) -> Iterator[None]:
    """Reply with a payload, in slices. Raises CommandError for a hash with fields that expire."""
    definition = client.db.types.definition(value)
    content, pieces = definition.content, definition.content_pieces
    assert content is not None, "the caller has checked it"
    assert definition.redis_name is not None, "the caller has checked it"
    parts = [encode_header(definition.redis_name, copying.size_of(client.db, value))]
    for piece in [content(value)] if pieces is None else pieces(value, client.slice_items):
        if has_deadlines(piece):
            raise CommandError(NO_FIELD_DEADLINES)
        parts.append(encode_items(piece))
        yield
    yield from seal_in_slices(parts)
    reply.bulk_parts(client.out, sum(map(len, parts)), parts)


def has_deadlines(piece: list[Any]) -> bool:
    """Return whether a value in a part of a hash comes with a deadline, as a pair of both."""
    return any(isinstance(item, tuple) for item in piece)


@attrs.define
class RestoreOptions:
    """The options of one RESTORE."""

    replaces: bool = False
    is_absolute: bool = False
    idle_seconds: int | None = None
    frequency: int | None = None


def parse_options(args: list[bytes]) -> RestoreOptions:
    """Parse the options behind the payload. Raises CommandError."""
    options = RestoreOptions()
    at = 4
    while at < len(args):
        word = args[at].lower()
        has_value = at + 1 < len(args)
        if word == b"replace":
            options.replaces = True
        elif word == b"absttl":
            options.is_absolute = True
        elif word == b"idletime" and has_value and options.frequency is None:
            at += 1
            options.idle_seconds = arguments.integer(args[at])
            if options.idle_seconds < 0:
                raise CommandError(BAD_IDLE_TIME)
        elif word == b"freq" and has_value and options.idle_seconds is None:
            at += 1
            options.frequency = arguments.integer(args[at])
            if not 0 <= options.frequency <= FREQUENCY_MAX:
                raise CommandError(BAD_FREQUENCY)
        else:
            raise CommandError(SYNTAX)
        at += 1
    return options


@COMMANDS.declare(
    "restore",
    "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds]"
    " [FREQ frequency:integer]",
    "write denyoom sliced",
    keys="OW update",
    summary="Creates a key from a value in the serialisation of Redis.",
    complexity="O(N) for N elements or bytes, O(N log N) for a sorted set.",
    categories="dangerous keyspace",
    history=(
        "3.0.0 option `REPLACE`",
        "5.0.0 option `ABSTTL`",
        "5.0.0 options `IDLETIME` and `FREQ`",
    ),
)
def restore(client: Client, args: list[bytes]) -> None:
    options = parse_options(args)
    db, key = client.db, args[1]
    if not options.replaces and db.lookup_for_write(key) is not None:
        raise CommandError(BUSY_KEY)
    ttl = arguments.integer(args[2])
    if ttl < 0:
        raise CommandError(BAD_TTL)
    deadline = None if ttl == 0 else ttl + (0 if options.is_absolute else db.expiry_clock)
    if deadline is not None and deadline > DEADLINE_MAX:
        raise CommandError(TOO_LATE)
    steps = restore_steps(client, args, options, deadline)
    slicing.run(client, args, len(args[3]) // ELEMENT_BYTES, steps)


def restore_steps(
    client: Client, args: list[bytes], options: RestoreOptions, deadline: int | None
) -> Iterator[None]:
    """Check a payload and write its value, in slices."""
    db, key, payload = client.db, args[1], args[3]
    value = RdbValue(b"", [])
    try:
        yield from check_in_slices(payload)
    except RdbError:
        raise CommandError(BAD_PAYLOAD) from None
    try:
        yield from decode_in_slices(RdbSource(payload), value, client.slice_items)
    except RdbError:
        raise CommandError(BAD_DATA) from None
    if deadline is not None and deadline <= db.expiry_clock:
        if options.replaces:
            db.delete(key)
    else:
        yield from write_steps(client, key, value, deadline)
        store_last_use(client, key, options)
    reply.ok(client.out)


def write_steps(
    client: Client, key: bytes, value: RdbValue, deadline: int | None
) -> Iterator[None]:
    """Replace the content of `key`, in slices."""
    db = client.db
    code = code_of(db, value.kind)
    if value.kind == STRING:
        if assign_hyperloglog(db, key, value.content[0], keep_ttl=False):
            db.expire(key, deadline)
            return
        put(db, key, code, value.content, deadline)
        return
    db.delete(key)
    write = CONTENT_WRITERS[code]
    is_paired = value.kind in PAIRED
    for piece in in_pieces(value.content, client.slice_items * (2 if is_paired else 1)):
        write(db, key, piece)
        yield
    db.expire(key, deadline)


def code_of(db: Keyspace, kind: bytes) -> int:
    """Return the code of the type that Redis knows by this name."""
    codes = [code for code, each in db.types.by_code.items() if each.redis_name == kind]
    return min(codes)


def store_last_use(client: Client, key: bytes, options: RestoreOptions) -> None:
    """Store when, or how often, a restored key was used, if the request says so and the policy of
    eviction looks at it."""
    eviction = client.instance.eviction
    if eviction.counts_uses:
        if options.frequency is not None:
            eviction.store_frequency(key, options.frequency)
    elif options.idle_seconds is not None:
        store_use(client.db, key, max(client.db.second - options.idle_seconds, 0))


@COMMANDS.declare(
    "migrate",
    "host port:integer destination-key:string destination-db:integer timeout:integer [COPY]"
    " [REPLACE] [AUTH password | AUTH2 username password] [KEYS name]...",
    "write movablekeys",
    summary="Refused: a region does not write to other servers.",
    categories="dangerous keyspace",
)
def migrate(_client: Client, _args: list[bytes]) -> None:
    """Refuse, with what to do instead."""
    raise CommandError(NO_MIGRATION)
