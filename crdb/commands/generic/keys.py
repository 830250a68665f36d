"""Keys: DEL, RENAME, SCAN and the others that take a key of any type.

A delete removes what this region has observed, nothing else (rule KEY-1). RENAME and COPY write the
content anew under the other key, as one operation (KEY-8). FLUSHALL removes what this region has
observed of all keys, in all regions.
"""

from __future__ import annotations

import re
from typing import Final

from crdb.commands.generic import scanning
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.errors import NO_SUCH_KEY, SYNTAX, CommandError
from crdb.engine.glob import compile_glob
from crdb.engine.parameters.encodings import encoding_of
from crdb.resp import reply
from crdt.writes import content
from crdt.writes.content import type_name

SAME_OBJECT: Final = b"ERR source and destination objects are the same"
DB_OUT_OF_RANGE: Final = b"ERR DB index is out of range"
NOT_AN_INT: Final = b"ERR value is out of range, value must between -2147483648 and 2147483647"
NO_FREQUENCY: Final = (
    b"ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that"
    b" when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
SHARED_INTEGER: Final = re.compile(rb"0|[1-9][0-9]{0,3}")
SHARED_COUNT: Final = (1 << 31) - 1
OBJECT_HELP: Final = (
    b"OBJECT <subcommand> <key>. Subcommands are:",
    b"ENCODING <key>",
    b"    The representation that Redis would choose for the value.",
    b"FREQ <key>",
    b"    The access frequency; not tracked.",
    b"IDLETIME <key>",
    b"    Seconds since a client last read or wrote the key.",
    b"REFCOUNT <key>",
    b"    The number of references to the value: 1, or 2147483647 for a small integer.",
    b"HELP",
    b"    This text.",
)


# -- looking ---------------------------------------------------------------------------------


def exists(client: Client, args: list[bytes]) -> None:
    """EXISTS key [key ...]: a key given twice counts twice."""
    db = client.db
    found = 0
    for index in range(1, len(args)):
        if db.inspect(args[index]) is not None:
            found += 1
    reply.integer(client.out, found)


def touch(client: Client, args: list[bytes]) -> None:
    """TOUCH key [key ...]: marks keys as used; how many there are."""
    db = client.db
    found = 0
    for index in range(1, len(args)):
        if db.read(args[index]) is not None:
            found += 1
    reply.integer(client.out, found)


def type_of(client: Client, args: list[bytes]) -> None:
    """TYPE key."""
    reply.simple(client.out, type_name(client.db, client.db.inspect(args[1])))


def keys(client: Client, args: list[bytes]) -> None:
    """KEYS pattern."""
    names = client.db.keys()
    if args[1] != b"*":
        matches = compile_glob(args[1]).fullmatch
        names = [name for name in names if matches(name) is not None]
    reply.bulks(client.out, names)


def scan(client: Client, args: list[bytes]) -> None:
    """SCAN cursor [MATCH pattern] [COUNT n] [TYPE name]."""
    db = client.db
    cursor = scanning.parse_cursor(args[1])
    options = scanning.parse_options(args, 2, typed=True)
    cursor, names = db.scan(cursor, options.count)
    names = options.select(names)
    if options.type_name is not None:
        wanted = options.type_name.lower()
        names = [name for name in names if type_name(db, db.lookup(name)) == wanted]
    scanning.page_header(client, cursor, len(names))
    for name in names:
        reply.bulk(client.out, name)


def randomkey(client: Client, _args: list[bytes]) -> None:
    """RANDOMKEY."""
    name = client.db.random_key(client.instance.random)
    reply.bulk_or_null(client.out, client.protocol, name)


def dbsize(client: Client, _args: list[bytes]) -> None:
    """DBSIZE: expired keys count until somebody touches them (rule KEY-12)."""
    reply.integer(client.out, client.db.size())


# -- removing --------------------------------------------------------------------------------


def delete(client: Client, args: list[bytes]) -> None:
    """DEL key [key ...], and UNLINK, which is no different here (rule KEY-10)."""
    db = client.db
    removed = 0
    for index in range(1, len(args)):
        if db.delete(args[index]):
            removed += 1
    reply.integer(client.out, removed)


def flush(client: Client, args: list[bytes]) -> None:
    """FLUSHALL and FLUSHDB [ASYNC | SYNC]: one and the same, there is one database."""
    if len(args) > 2 or (len(args) == 2 and args[1].upper() not in (b"ASYNC", b"SYNC")):
        raise CommandError(SYNTAX)
    client.db.flush()
    reply.ok(client.out)


# -- moving ----------------------------------------------------------------------------------


def rename(client: Client, args: list[bytes]) -> None:
    """RENAME key newkey."""
    move(client, args[1], args[2], replace=True)
    reply.ok(client.out)


def renamenx(client: Client, args: list[bytes]) -> None:
    """RENAMENX key newkey."""
    reply.integer(client.out, 1 if move(client, args[1], args[2], replace=False) else 0)


def move(client: Client, source: bytes, sink: bytes, *, replace: bool) -> bool:
    """Give the content of one key, and its time to live, to another key (rule KEY-8)."""
    db = client.db
    value = db.lookup_for_write(source)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    if source == sink or (not replace and db.lookup_for_write(sink) is not None):
        return False
    content.copy(db, value, sink, db.deadline(source))
    db.delete(source)
    return True


def copy(client: Client, args: list[bytes]) -> None:
    """COPY source destination [DB 0] [REPLACE]."""
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
            low, high = -(1 << 31), (1 << 31) - 1
            if arguments.integer_between(args[index], low, high, NOT_AN_INT) != 0:
                raise CommandError(DB_OUT_OF_RANGE)
        else:
            raise CommandError(SYNTAX)
        index += 1
    if source == sink:
        raise CommandError(SAME_OBJECT)
    value = db.read(source)
    if value is None or (db.lookup_for_write(sink) is not None and not replace):
        reply.integer(client.out, 0)
        return
    content.copy(db, value, sink, db.deadline(source))
    reply.integer(client.out, 1)


# -- OBJECT ----------------------------------------------------------------------------------


def object_encoding(client: Client, args: list[bytes]) -> None:
    """OBJECT ENCODING key."""
    value = client.db.inspect(args[2])
    encoding = None
    if value is not None:
        encoding = encoding_of(value, client.instance.config.encoding_limits)
    reply.bulk_or_null(client.out, client.protocol, encoding)


def object_freq(client: Client, args: list[bytes]) -> None:
    """OBJECT FREQ key: refused, as by Redis without an LFU policy."""
    if client.db.inspect(args[2]) is not None:
        raise CommandError(NO_FREQUENCY)
    reply.null(client.out, client.protocol)


def object_idletime(client: Client, args: list[bytes]) -> None:
    """OBJECT IDLETIME key: seconds since a client last used it, as far as this region knows."""
    value = client.db.inspect(args[2])
    if value is None:
        reply.null(client.out, client.protocol)
        return
    second = client.db.second
    reply.integer(client.out, max(second - value.accessed, 0))


def object_refcount(client: Client, args: list[bytes]) -> None:
    """OBJECT REFCOUNT key: Redis shares the integers below 10,000, which shows here."""
    value = client.db.inspect(args[2])
    if value is None:
        reply.null(client.out, client.protocol)
    else:
        text = value.text()
        is_shared = text is not None and SHARED_INTEGER.fullmatch(text) is not None
        reply.integer(client.out, SHARED_COUNT if is_shared else 1)


def object_help(client: Client, _args: list[bytes]) -> None:
    """OBJECT HELP."""
    reply.array(client.out, len(OBJECT_HELP))
    for line in OBJECT_HELP:
        reply.simple(client.out, line)


ALL: Final = (1, -1, 1)
PER_KEY: Final = "O(N) for N keys, or for the elements of those that hold several."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "del", delete, -2, "write", keys=ALL, group="generic",
        summary="Removes what this region sees under some keys.", complexity=PER_KEY,
    ),
    Command(
        "unlink", delete, -2, "write fast", keys=ALL, group="generic", since="4.0.0",
        summary="Removes what this region sees under some keys, as DEL does.", complexity=PER_KEY,
    ),
    Command(
        "exists", exists, -2, "readonly fast", keys=ALL, group="generic",
        summary="How many of some keys exist.", complexity="O(N) for N keys.",
    ),
    Command(
        "touch", touch, -2, "readonly fast", keys=ALL, group="generic", since="3.2.1",
        summary="How many of some keys exist, which count as used now.",
        complexity="O(N) for N keys.",
    ),
    Command(
        "type", type_of, 2, "readonly fast", keys=(1, 1, 1), group="generic",
        summary="The type of what a key holds.", complexity="O(1)",
    ),
    Command(
        "rename", rename, 3, "write", keys=(1, 2, 1), group="generic",
        summary="Writes a key's content anew under another name and removes the key.",
        complexity="O(N) for N elements.",
    ),
    Command(
        "renamenx", renamenx, 3, "write fast", keys=(1, 2, 1), group="generic",
        summary="As RENAME, if the new key does not exist in this region.",
        complexity="O(N) for N elements.",
    ),
    Command(
        "copy", copy, -3, "write denyoom", keys=(1, 2, 1), group="generic", since="6.2.0",
        summary="Writes a key's content anew under a second name.",
        complexity="O(N) for N elements.",
    ),
    Command(
        "keys", keys, 2, "readonly", group="generic", categories="dangerous",
        summary="All keys whose names match a pattern.", complexity="O(N) for N keys.",
    ),
    Command(
        "scan", scan, -2, "readonly", group="generic", since="2.8.0",
        summary="Some of the keys, and a cursor for the next ones.",
        complexity="O(1) for each call, O(N) for all N keys.",
    ),
    Command(
        "randomkey", randomkey, 1, "readonly", group="generic",
        summary="Some key.", complexity="O(1)",
    ),
    Command(
        "dbsize", dbsize, 1, "readonly fast", group="server", categories="keyspace",
        summary="How many keys there are.", complexity="O(1)",
    ),
    Command(
        "flushall", flush, -1, "write", group="server", categories="keyspace dangerous",
        summary="Removes, in all regions, every key as this region sees it.",
        complexity="O(N) for N keys.",
    ),
    Command(
        "flushdb", flush, -1, "write", group="server", categories="keyspace dangerous",
        summary="Removes, in all regions, every key as this region sees it.",
        complexity="O(N) for N keys.",
    ),
    Command(
        "object", None, -2, group="generic", categories="-keyspace", since="2.2.3",
        summary="Tells about the representation of a value.", complexity="O(1)",
        subcommands=(
            Command(
                "encoding", object_encoding, 3, "readonly", keys=(2, 2, 1), group="generic",
                since="2.2.3", summary="What Redis would keep the value in.", complexity="O(1)",
            ),
            Command(
                "freq", object_freq, 3, "readonly", keys=(2, 2, 1), group="generic",
                since="4.0.0", summary="How often a key is used; not tracked.", complexity="O(1)",
            ),
            Command(
                "idletime", object_idletime, 3, "readonly", keys=(2, 2, 1), group="generic",
                since="2.2.3", summary="How many seconds ago a key was last used.",
                complexity="O(1)",
            ),
            Command(
                "refcount", object_refcount, 3, "readonly", keys=(2, 2, 1), group="generic",
                since="2.2.3", summary="The number of references to a value, as Redis counts them.",
                complexity="O(1)",
            ),
            Command(
                "help", object_help, 2, "loading stale", categories="keyspace",
                group="generic", since="6.2.0", summary="Lists the subcommands.",
                complexity="O(1)",
            ),
        ),
    ),
)  # fmt: skip
