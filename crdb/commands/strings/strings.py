"""Commands on strings: GET, SET and similar ones.

A string is a last-writer-wins register (rules STR-1, STR-2). Conditions such as NX test the value
that this region sees (STR-5). A write of a whole value ends the time to live unless an option keeps
it (STR-6).

`SET k v` and `GET k` are the most frequent requests, so their handlers call as little as possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.expiry_options import (
    EXPIRATION,
    LIFETIMES,
    MILLISECONDS,
    SECONDS,
    positive_deadline,
)
from crdb.commands.strings.hyperloglog_strings import (
    FIRST_BYTE,
    SHORT,
    assign_hyperloglog,
    read_hyperloglog,
)
from crdb.engine.client import Client
from crdb.engine.command import DirectHandler
from crdb.engine.errors import (
    SYNTAX,
    WRONG_TYPE,
    CommandError,
    wrong_arity,
)
from crdb.resp import reply
from crdb.resp.reply import BULK_HEADERS, CACHED, CRLF, OK
from crdt.store.keyspace import Keyspace
from crdt.types.folded_string import text_of
from crdt.types.string import String
from crdt.writes.string import assign

COMMANDS: Final[CommandFamily] = CommandFamily("string")


def read_string(db: Keyspace, key: bytes) -> String | None:
    """Return the string under `key` for a client that reads it, or None. Raises CommandError for
    another type."""
    value = db.read(key)
    if value is None or isinstance(value, String):
        return value
    raise CommandError(WRONG_TYPE)


def string_for_write(db: Keyspace, key: bytes) -> String | None:
    """Return the string under `key`, or None, after removing an expired one. Raises CommandError
    for another type."""
    value = db.lookup_for_write(key)
    if value is None or isinstance(value, String):
        return value
    raise CommandError(WRONG_TYPE)


def read_text(db: Keyspace, key: bytes) -> bytes | None:
    """Return the text of the string under `key`, or None. Raises CommandError for another type."""
    value = read_string(db, key)
    return None if value is None else value.read()


def read_text_for_write(db: Keyspace, key: bytes) -> bytes | None:
    """Return the text of the string under `key`, or None, after removing an expired one."""
    value = string_for_write(db, key)
    return None if value is None else value.read()


def read_replaced_text(db: Keyspace, key: bytes) -> bytes | None:
    """Return the string under `key` for a command that replies with it and then changes the key.

    It counts as a read.
    """
    db.read(key)
    return read_text_for_write(db, key)


# -- reading ---------------------------------------------------------------------------------


@COMMANDS.declare("get", "key", "readonly fast", summary="Returns the string value of a key.")
def get(client: Client, args: list[bytes]) -> None:
    value = client.db.read_entry(args[1])
    out = client.out
    if type(value) is bytes:
        text = text_of(value)
    elif value is None:
        reply.null(out, client.protocol)
        return
    elif not isinstance(value, String):
        text = read_hyperloglog(client, value)
    else:
        large = value.large_text()
        if large is not None:
            reply.bulk_parts(out, large.size, large.parts())
            return
        text = value.read()
    size = len(text)
    out.append(BULK_HEADERS[size] if size < CACHED else b"$%d\r\n" % size)
    out.append(text)
    out.append(CRLF)


class Get(DirectHandler):
    """GET, called directly."""

    __slots__ = ()

    def run(self, client: Client, args: list[bytes]) -> None:
        get(client, args)


COMMANDS.call_directly(Get())


@COMMANDS.declare(
    "mget",
    "key...",
    "readonly fast",
    summary="Returns the string values of several keys.",
    complexity="O(N) for N keys.",
    tips="request_policy:multi_shard",
)
def mget(client: Client, args: list[bytes]) -> None:
    """Reply with null for keys that are missing or hold no string."""
    if len(args) > client.slice_items:
        client.hand_over(args, send_many(client, args))
        return
    db = client.db
    reply.array(client.out, len(args) - 1)
    for index in range(1, len(args)):
        reply_text(client, db.read_entry(args[index]))


def reply_text(client: Client, value: Any) -> None:
    """Reply with what was read, as MGET does."""
    if type(value) is bytes:
        reply.bulk(client.out, text_of(value))
    elif isinstance(value, String):
        reply.bulk(client.out, value.read())
    else:
        reply.null(client.out, client.protocol)


def send_many(client: Client, args: list[bytes]) -> Iterator[None]:
    """Carry out MGET in slices."""
    items = client.slice_items
    reply.array(client.out, len(args) - 1)
    for index in range(1, len(args)):
        if index % items == 0:
            yield
        reply_text(client, client.db.read_entry(args[index]))


# -- writing ---------------------------------------------------------------------------------


class SetOptions:
    """The options of SET and GETEX."""

    __slots__ = ("amount", "form", "get", "if_absent", "if_present", "keep", "persist")

    def __init__(self) -> None:
        self.if_absent = False
        self.if_present = False
        self.get = False
        self.keep = False
        self.persist = False
        self.form = 0
        """The form of the time to live, a constant of `expiry_options`; 0 if none is given."""
        self.amount = b""

    def excludes_lifetime(self, form: int) -> bool:
        """Return whether a time to live in this form contradicts an earlier option."""
        return self.keep or self.persist or self.form not in (0, form)


def parse_options(args: list[bytes], first: int, is_set: bool) -> SetOptions:
    """Parse the options of SET or GETEX from `args[first]` on. Raises CommandError."""
    options = SetOptions()
    index = first
    while index < len(args):
        word = args[index].upper()
        form = LIFETIMES.get(word, 0)
        if form and index + 1 < len(args) and not options.excludes_lifetime(form):
            index += 1
            options.form = form
            options.amount = args[index]
        elif is_set and word == b"NX" and not options.if_present:
            options.if_absent = True
        elif is_set and word == b"XX" and not options.if_absent:
            options.if_present = True
        elif is_set and word == b"GET":
            options.get = True
        elif is_set and word == b"KEEPTTL" and not options.form:
            options.keep = True
        elif not is_set and word == b"PERSIST" and not options.form:
            options.persist = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    return options


def key_flags_of_set(request: list[bytes]) -> str:
    """Return the key flags of this SET."""
    reads = b"GET" in [word.upper() for word in request[3:]]
    return "RW access update" if reads else "OW update"


@COMMANDS.declare(
    "set",
    f"key value [condition: NX | XX] [GET] [expiration: {EXPIRATION} | KEEPTTL]",
    "write denyoom",
    keys="RW access update variable_flags: With GET the old value is read too.",
    summary="Sets the string value of a key, optionally under conditions and with a time to live.",
    history=(
        "2.6.12 arguments `condition`, `EX` and `PX`",
        "6.0.0 option `KEEPTTL`",
        "6.2.0 options `GET`, `EXAT` and `PXAT`",
        "7.0.0 NX together with GET",
    ),
    key_flags=key_flags_of_set,
)
def set_value(client: Client, args: list[bytes]) -> None:
    if len(args) == 3:
        value = args[2]
        if len(value) > SHORT and value[0] == FIRST_BYTE:
            assign_text(client.db, args[1], value, keep_ttl=False)
        else:
            assign(client.db, args[1], value)
        client.out.append(OK)
    else:
        set_with_options(client, args)


class Set(DirectHandler):
    """SET, called directly."""

    __slots__ = ()

    def run(self, client: Client, args: list[bytes]) -> None:
        set_value(client, args)


COMMANDS.call_directly(Set())


def assign_text(db: Keyspace, key: bytes, text: bytes, *, keep_ttl: bool) -> None:
    """Set a string, which may be that of a HyperLogLog."""
    if not assign_hyperloglog(db, key, text, keep_ttl=keep_ttl):
        assign(db, key, text, keep_ttl)


def set_with_options(client: Client, args: list[bytes]) -> None:
    """Carry out SET with options. Conditions test what this region sees (rule STR-5)."""
    db = client.db
    key = args[1]
    options = parse_options(args, 3, is_set=True)
    deadline = 0
    if options.form:
        deadline = positive_deadline(options.amount, options.form, db.expiry_clock, b"set")
    held = db.lookup_for_write(key)
    if options.get:
        db.read(key)
        text = None
        if isinstance(held, String):
            text = held.read()
        elif held is not None:
            text = read_hyperloglog(client, held)
        reply.bulk_or_null(client.out, client.protocol, text)
    if options.if_absent if held is not None else options.if_present:
        if not options.get:
            reply.null(client.out, client.protocol)
        return
    assign_text(db, key, args[2], keep_ttl=options.keep)
    if options.form:
        db.expire(key, deadline)
    if not options.get:
        client.out.append(OK)


@COMMANDS.declare(
    "setnx",
    "key value",
    "write denyoom fast",
    keys="OW insert",
    summary="Sets the string value of a key if this region does not see the key.",
    deprecated="2.6.12 `SET` with the `NX` argument",
)
def setnx(client: Client, args: list[bytes]) -> None:
    if client.db.lookup_for_write(args[1]) is not None:
        reply.integer(client.out, 0)
    else:
        assign(client.db, args[1], args[2])
        reply.integer(client.out, 1)


@COMMANDS.declare(
    "setex",
    "key seconds value",
    "write denyoom",
    keys="OW update",
    since="2.0.0",
    summary="Sets the string value and the time to live in seconds of a key.",
    deprecated="2.6.12 `SET` with the `EX` argument",
)
def setex(client: Client, args: list[bytes]) -> None:
    set_with_lifetime(client, args, SECONDS, b"setex")


@COMMANDS.declare(
    "psetex",
    "key milliseconds value",
    "write denyoom",
    keys="OW update",
    since="2.6.0",
    summary="Sets the string value and the time to live in milliseconds of a key.",
    deprecated="2.6.12 `SET` with the `PX` argument",
)
def psetex(client: Client, args: list[bytes]) -> None:
    set_with_lifetime(client, args, MILLISECONDS, b"psetex")


def set_with_lifetime(client: Client, args: list[bytes], form: int, command: bytes) -> None:
    """Set a string with a time to live."""
    db = client.db
    deadline = positive_deadline(args[2], form, db.expiry_clock, command)
    assign(db, args[1], args[3])
    db.expire(args[1], deadline)
    client.out.append(OK)


@COMMANDS.declare(
    "getset",
    "key value",
    "write denyoom fast",
    summary="Sets the string value of a key and returns the previous one.",
    deprecated="6.2.0 `SET` with the `!GET` argument",
)
def getset(client: Client, args: list[bytes]) -> None:
    text = read_replaced_text(client.db, args[1])
    assign(client.db, args[1], args[2])
    reply.bulk_or_null(client.out, client.protocol, text)


@COMMANDS.declare(
    "getdel",
    "key",
    "write fast",
    keys="RW access delete",
    since="6.2.0",
    summary="Returns the string value of a key and deletes the key.",
)
def getdel(client: Client, args: list[bytes]) -> None:
    """Read the value, then remove what was observed (rule STR-7)."""
    text = read_replaced_text(client.db, args[1])
    if text is not None:
        client.db.delete(args[1])
    reply.bulk_or_null(client.out, client.protocol, text)


@COMMANDS.declare(
    "getex",
    f"key [expiration: {EXPIRATION} | PERSIST]",
    "write fast",
    keys="RW access update: The value is read and its time to live changed.",
    since="6.2.0",
    summary="Returns the string value of a key and changes its time to live.",
)
def getex(client: Client, args: list[bytes]) -> None:
    db = client.db
    key = args[1]
    options = parse_options(args, 2, is_set=False)
    text = read_replaced_text(db, key)
    if text is None:
        reply.null(client.out, client.protocol)
        return
    if options.form:
        form = options.form
        deadline = positive_deadline(options.amount, form, db.expiry_clock, b"getex")
        if deadline <= db.expiry_clock:
            db.delete(key)
        else:
            db.expire(key, deadline)
    elif options.persist:
        db.expire(key, None)
    reply.bulk(client.out, text)


@COMMANDS.declare(
    "mset",
    "(data: key value)...",
    "write denyoom",
    keys="OW update",
    since="1.0.1",
    summary="Sets the string values of several keys as one operation.",
    complexity="O(N) for N keys.",
    tips="request_policy:multi_shard response_policy:all_succeeded",
)
def mset(client: Client, args: list[bytes]) -> None:
    """Set all keys as one operation."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity(b"mset"))
    if len(args) > client.slice_items:
        client.hand_over(args, assign_many(client, args))
        return
    db = client.db
    for index in range(1, len(args), 2):
        assign(db, args[index], args[index + 1])
    client.out.append(OK)


def assign_many(client: Client, args: list[bytes]) -> Iterator[None]:
    """Carry out MSET in slices."""
    items = client.slice_items
    for index in range(1, len(args), 2):
        if index % items <= 1 and index > 1:
            yield
        assign(client.db, args[index], args[index + 1])
    client.out.append(OK)


@COMMANDS.declare(
    "msetnx",
    "(data: key value)...",
    "write denyoom",
    keys="OW insert",
    since="1.0.1",
    summary="Sets the string values of several keys if this region sees none of the keys.",
    complexity="O(N) for N keys.",
)
def msetnx(client: Client, args: list[bytes]) -> None:
    """Set all keys or none."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity(b"msetnx"))
    slicing.run(client, args, len(args), assign_new(client, args))


def assign_new(client: Client, args: list[bytes]) -> Iterator[None]:
    """Carry out MSETNX, in slices if there are many keys."""
    db, items = client.db, client.slice_items
    for index in range(1, len(args), 2):
        if index % items <= 1 and index > 1:
            yield
        if db.lookup_for_write(args[index]) is not None:
            reply.integer(client.out, 0)
            return
    for index in range(1, len(args), 2):
        if index % items <= 1 and index > 1:
            yield
        assign(db, args[index], args[index + 1])
    reply.integer(client.out, 1)
