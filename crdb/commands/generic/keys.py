"""Commands on keys of any type: DEL, RENAME, SCAN and similar ones.

A delete removes only what this region has observed (rule KEY-1). RENAME and COPY write the content
under the other key, as one operation (KEY-8). FLUSHALL removes what this region has observed of all
keys, in all regions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.generic import copying
from crdb.commands.shared import scanning, slicing
from crdb.commands.shared.database_index import check_database
from crdb.engine.client import Client
from crdb.engine.declare.declaration import Facts
from crdb.engine.errors import NO_SUCH_KEY, SAME_OBJECT, SYNTAX, CommandError
from crdb.engine.glob import compile_glob
from crdb.engine.parameters.encodings import encoding_of
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.types.base import Value
from crdt.writes import content
from crdt.writes.content import type_name

COMMANDS: Final[CommandFamily] = CommandFamily("generic")
PER_KEY: Final = "O(N) for N keys, or for the elements of those that hold several."
OBJECT: Final = COMMANDS.container(
    "object", since="2.2.3", summary="A container for commands about the representation of values."
)
OBJECT.declare_help(since="6.2.0")


NOT_COPYABLE: Final = b"ERR the type of the key has no content that can be copied"
NO_FREQUENCY: Final = (
    b"ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that"
    b" when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
NO_IDLE_TIME: Final = (
    b"ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when"
    b" switching between policies at runtime LRU and LFU data will take some time to adjust."
)
SHARED_INTEGER: Final = re.compile(rb"0|[1-9][0-9]{0,3}")
SHARED_COUNT: Final = (1 << 31) - 1
INTEGER: Final = b"int"  # an encoding


# -- reading ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "exists",
    "key...",
    "readonly fast",
    keys="RO",
    summary="Counts how many of the given keys exist.",
    complexity="O(N) for N keys.",
    tips="request_policy:multi_shard response_policy:agg_sum",
    history=("3.0.3 several keys",),
)
def exists(client: Client, args: list[bytes]) -> None:
    """Count keys. A key that is named twice counts twice."""
    if len(args) > client.slice_items:
        client.hand_over(args, count_many(client, args, client.db.inspect))
        return
    db = client.db
    found = 0
    for index in range(1, len(args)):
        if db.inspect(args[index]) is not None:
            found += 1
    reply.integer(client.out, found)


def count_many(
    client: Client, args: list[bytes], look_up: Callable[[bytes], Value | None]
) -> Iterator[None]:
    """Reply with the number of keys that exist, in slices."""
    found = 0
    items = client.slice_items
    for index in range(1, len(args)):
        if index % items == 0:
            yield
        if look_up(args[index]) is not None:
            found += 1
    reply.integer(client.out, found)


@COMMANDS.declare(
    "touch",
    "key...",
    "readonly fast",
    keys="RO",
    since="3.2.1",
    summary="Counts how many of the given keys exist, and marks them as used.",
    complexity="O(N) for N keys.",
    tips="request_policy:multi_shard response_policy:agg_sum",
)
def touch(client: Client, args: list[bytes]) -> None:
    if len(args) > client.slice_items:
        client.hand_over(args, count_many(client, args, client.db.read))
        return
    db = client.db
    found = 0
    for index in range(1, len(args)):
        if db.read(args[index]) is not None:
            found += 1
    reply.integer(client.out, found)


@COMMANDS.declare(
    "type", "key", "readonly fast", keys="RO", summary="Returns the type of a key's value."
)
def type_of(client: Client, args: list[bytes]) -> None:
    reply.simple(client.out, type_name(client.db, client.db.inspect(args[1])))


@COMMANDS.declare(
    "keys",
    "pattern",
    "readonly sliced whole",
    summary="Returns all keys whose names match a pattern.",
    complexity="O(N) for N keys.",
    categories="dangerous",
    tips="request_policy:all_shards nondeterministic_output_order",
)
def keys(client: Client, args: list[bytes]) -> None:
    if slicing.must_settle(client, args):
        return
    slicing.run(client, args, client.db.size(), find_keys(client, args[1]))


def find_keys(client: Client, pattern: bytes) -> Iterator[None]:
    """Reply with the keys that match a pattern."""
    matches = None if pattern == b"*" else compile_glob(pattern).fullmatch
    items = client.slice_items
    names: list[bytes] = []
    cursor, part = client.db.keys_from(0)
    while True:
        if matches is None:
            names += part
            yield
        else:
            for start in range(0, len(part), items):
                piece = part[start : start + items]
                names += [name for name in piece if matches(name) is not None]
                yield
        if not cursor:
            break
        cursor, part = client.db.keys_from(cursor)
    reply.array(client.out, len(names))
    yield from slicing.reply_bulks(client, names)
    yield from slicing.empty_list(client, names)


@COMMANDS.declare(
    "scan",
    "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    "readonly sliced whole",
    since="2.8.0",
    summary="Iterates over the keys, some at each call.",
    complexity="O(1) for each call, O(N) for all N keys.",
    tips="nondeterministic_output request_policy:special response_policy:special",
    history=("6.0.0 option `TYPE`",),
)
def scan(client: Client, args: list[bytes]) -> None:
    if slicing.must_settle(client, args):
        return
    db = client.db
    cursor = scanning.parse_cursor(args[1])
    scan = scanning.Scan(args, db, None, first=2, typed=True)
    slicing.run(client, args, scan.cost(db.size()), scan_steps(client, scan, cursor))


def scan_steps(client: Client, scan: scanning.Scan, cursor: int) -> Iterator[None]:
    """Reply with a page of keys, of one type if the request names it."""
    db = client.db
    yield from scan.read(cursor, client.slice_items)
    names: list[bytes] = []
    if scan.options.type_name is None:
        names = scan.shown
    else:
        wanted = scan.options.type_name.lower()
        for piece in in_pieces(scan.shown, client.slice_items):
            names += [name for name in piece if type_name(db, db.lookup(name)) == wanted]
            yield
    scanning.page_header(client, scan.following, len(names))
    yield from slicing.reply_bulks(client, names)


@COMMANDS.declare(
    "randomkey",
    "",
    "readonly whole",
    summary="Returns a random key.",
    tips="request_policy:all_shards response_policy:special nondeterministic_output",
)
def randomkey(client: Client, args: list[bytes]) -> None:
    if slicing.must_settle(client, args):
        return
    name = client.db.random_key(client.instance.random)
    reply.bulk_or_null(client.out, client.protocol, name)


@COMMANDS.declare(
    "dbsize",
    "",
    "readonly fast whole",
    group="server",
    summary="Returns the number of keys.",
    categories="keyspace",
    tips="request_policy:all_shards response_policy:agg_sum",
)
def dbsize(client: Client, args: list[bytes]) -> None:
    """Count keys. Expired keys count until they are touched (rule KEY-12)."""
    if slicing.must_settle(client, args):
        return
    reply.integer(client.out, client.db.size())


# -- removing --------------------------------------------------------------------------------


@COMMANDS.declare(
    "del",
    "key...",
    "write",
    keys="RM delete",
    summary="Deletes keys as far as this region has observed their values.",
    complexity=PER_KEY,
    tips="request_policy:multi_shard response_policy:agg_sum",
)
@COMMANDS.declare(
    "unlink",
    "key...",
    "write fast",
    keys="RM delete",
    since="4.0.0",
    summary="Deletes keys as far as this region has observed their values.",
    complexity=PER_KEY,
    tips="request_policy:multi_shard response_policy:agg_sum",
)
def delete(client: Client, args: list[bytes]) -> None:
    if len(args) > client.slice_items:
        client.hand_over(args, delete_many(client, args))
        return
    db = client.db
    removed = 0
    for index in range(1, len(args)):
        if db.delete(args[index]):
            removed += 1
    reply.integer(client.out, removed)


def delete_many(client: Client, args: list[bytes]) -> Iterator[None]:
    """Delete keys in slices."""
    db = client.db
    removed = 0
    items = client.slice_items
    for index in range(1, len(args)):
        if index % items == 0:
            yield
        if db.delete(args[index]):
            removed += 1
    reply.integer(client.out, removed)


FLUSH: Final[Facts] = {
    "group": "server",
    "summary": "Deletes all keys that this region sees, in all regions.",
    "complexity": "O(N) for N keys.",
    "categories": "dangerous keyspace",
    "tips": "request_policy:all_shards response_policy:all_succeeded",
    "history": ("4.0.0 option `ASYNC`", "6.2.0 option `SYNC`"),
}


@COMMANDS.declare("flushall", "[flush-type: ASYNC | SYNC]", "write whole sliced", **FLUSH)
@COMMANDS.declare("flushdb", "[flush-type: ASYNC | SYNC]", "write whole sliced", **FLUSH)
def flush(client: Client, args: list[bytes]) -> None:
    """Delete all keys. FLUSHALL and FLUSHDB are the same, since there is one database."""
    if len(args) > 2 or (len(args) == 2 and args[1].upper() not in (b"ASYNC", b"SYNC")):
        raise CommandError(SYNTAX)
    client.hand_over(args, flush_steps(client))


def flush_steps(client: Client) -> Iterator[None]:
    """Delete all keys, in slices."""
    yield from client.db.flush_in_slices(client.slice_items)
    reply.ok(client.out)


# -- moving ----------------------------------------------------------------------------------


@COMMANDS.declare(
    "rename",
    "key newkey",
    "write sliced",
    keys="RW access delete; OW update",
    summary="Renames a key and replaces the new key.",
    complexity="O(N) for N elements.",
)
def rename(client: Client, args: list[bytes]) -> None:
    move_value(client, args, replace=True)


@COMMANDS.declare(
    "renamenx",
    "key newkey",
    "write fast sliced",
    keys="RW access delete; OW insert",
    summary="Renames a key if this region does not see the new key.",
    complexity="O(N) for N elements.",
    history=("3.2.0 no error for a key renamed to itself",),
)
def renamenx(client: Client, args: list[bytes]) -> None:
    move_value(client, args, replace=False)


def check_copyable(db: Keyspace, value: Value) -> None:
    """Raise CommandError if the content of `value` cannot be written to another key."""
    if not content.is_copyable(db, value):
        raise CommandError(NOT_COPYABLE)


def move_value(client: Client, args: list[bytes], *, replace: bool) -> None:
    """Move the content and the time to live of one key to another key (rule KEY-8)."""
    db, source, sink = client.db, args[1], args[2]
    value = db.lookup_for_write(source)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    if replace and source == sink:
        reply.ok(client.out)
        return
    if source == sink or (not replace and db.lookup_for_write(sink) is not None):
        reply.integer(client.out, 0)
        return
    check_copyable(db, value)
    if copying.size_of(client.db, value) > client.slice_items:
        client.hand_over(args, move_steps(client, args, value, replies_ok=replace))
        return
    content.copy(db, value, sink, db.deadline(source))
    db.delete(source)
    reply_moved(client, replies_ok=replace)


def move_steps(
    client: Client, args: list[bytes], value: Value, *, replies_ok: bool
) -> Iterator[None]:
    """Move a large value in slices."""
    yield from copying.copy_steps(client, value, args[1], args[2])
    client.db.delete(args[1])
    reply_moved(client, replies_ok=replies_ok)


def reply_moved(client: Client, *, replies_ok: bool) -> None:
    """Reply that a key was moved: OK for RENAME, 1 for RENAMENX."""
    if replies_ok:
        reply.ok(client.out)
    else:
        reply.integer(client.out, 1)


@COMMANDS.declare(
    "copy",
    "source destination [DB destination-db] [REPLACE]",
    "write denyoom sliced",
    keys="RO access; OW update",
    since="6.2.0",
    summary="Copies the value of a key to another key.",
    complexity="O(N) for N elements.",
)
def copy(client: Client, args: list[bytes]) -> None:
    db = client.db
    source, sink = args[1], args[2]
    replace = False
    index = 3
    while index < len(args):
        word = args[index].upper()
        if word == b"REPLACE":
            replace = True
        elif word == b"DB" and index + 1 < len(args):
            index += 1
            check_database(args[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    if source == sink:
        raise CommandError(SAME_OBJECT)
    value = db.read(source)
    if value is None or (db.lookup_for_write(sink) is not None and not replace):
        reply.integer(client.out, 0)
        return
    check_copyable(db, value)
    if copying.size_of(client.db, value) > client.slice_items:
        client.hand_over(args, copy_many(client, args, value))
        return
    content.copy(db, value, sink, db.deadline(source))
    reply.integer(client.out, 1)


def copy_many(client: Client, args: list[bytes], value: Value) -> Iterator[None]:
    """Copy a large value in slices."""
    yield from copying.copy_steps(client, value, args[1], args[2])
    reply.integer(client.out, 1)


# -- OBJECT ----------------------------------------------------------------------------------


@OBJECT.declare(
    "encoding",
    "key",
    "readonly",
    keys="RO",
    summary="Returns the encoding that Redis would use for the value.",
    tips="nondeterministic_output",
)
def object_encoding(client: Client, args: list[bytes]) -> None:
    value = client.db.inspect(args[2])
    encoding = None if value is None else find_encoding(client, value)
    reply.bulk_or_null(client.out, client.protocol, encoding)


def find_encoding(client: Client, value: Value) -> bytes:
    """Return the encoding that Redis would use for a value."""
    definition = client.db.types.definition(value)
    return encoding_of(definition, value, client.instance.config.encoding_limits)


@OBJECT.declare(
    "freq",
    "key",
    "readonly",
    keys="RO",
    since="4.0.0",
    summary="Returns how often a key is used, as a logarithm.",
    tips="nondeterministic_output",
)
def object_freq(client: Client, args: list[bytes]) -> None:
    """Reply with the counter of an LFU policy. Without one nothing is counted."""
    value = client.db.inspect(args[2])
    eviction = client.instance.eviction
    if value is None:
        reply.null(client.out, client.protocol)
    elif not eviction.counts_uses:
        raise CommandError(NO_FREQUENCY)
    else:
        reply.integer(client.out, eviction.frequency.counter(value.accessed, client.db.second))


@OBJECT.declare(
    "idletime",
    "key",
    "readonly",
    keys="RO",
    summary="Returns the seconds since a key was last used.",
    tips="nondeterministic_output",
)
def object_idletime(client: Client, args: list[bytes]) -> None:
    value = client.db.inspect(args[2])
    if value is None:
        reply.null(client.out, client.protocol)
        return
    if client.instance.eviction.counts_uses:
        raise CommandError(NO_IDLE_TIME)
    second = client.db.second
    reply.integer(client.out, max(second - value.accessed, 0))


@OBJECT.declare(
    "refcount",
    "key",
    "readonly",
    keys="RO",
    summary="Returns the number of references to a value, as Redis counts them.",
    tips="nondeterministic_output",
)
def object_refcount(client: Client, args: list[bytes]) -> None:
    """Reply with a count. Redis shares the integers below 10,000, so their count is larger. It does
    not share a string of digits that it holds as bytes."""
    value = client.db.inspect(args[2])
    if value is None:
        reply.null(client.out, client.protocol)
    else:
        text = value.text()
        is_shared = text is not None and SHARED_INTEGER.fullmatch(text) is not None
        is_shared = is_shared and find_encoding(client, value) == INTEGER
        reply.integer(client.out, SHARED_COUNT if is_shared else 1)
