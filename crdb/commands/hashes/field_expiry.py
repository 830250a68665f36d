"""Deadlines of fields: HEXPIRE, HTTL, HPERSIST and similar ones, HGETEX, HSETEX and HGETDEL.

A deadline concerns one field of a hash (rule HSH-10). Of concurrent deadlines the longest holds. A
write of a field ends its time to live (D-10). A field that has expired is not visible. Conditions
are evaluated by the region that accepts the command.

The commands are those of Redis 7.4 and 8.0. Their replies follow its documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.expiry_options import (
    AT_MILLISECONDS,
    AT_SECONDS,
    EXPIRATION,
    LIFETIMES,
    MILLISECONDS,
    SECONDS,
    deadline,
    positive_deadline,
)
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError, wrong_arity
from crdb.resp import reply
from crdb.resp.numbers import INT64_MAX
from crdt.store.keyspace import Keyspace
from crdt.types.hash import Hash
from crdt.writes import hash as hashes

COMMANDS: Final[CommandFamily] = CommandFamily("hash", since="7.4.0")
COST: Final = "O(N) for N fields."
FIELDS: Final = "(FIELDS numfields field...)"
CONDITION: Final = "[condition: NX | XX | GT | LT]"

NEGATIVE: Final = b"ERR invalid expire time, must be >= 0"
NO_FIELDS: Final = b"ERR Mandatory argument FIELDS is missing or not at the right position"
NUMFIELDS: Final = b"ERR Parameter `numFields` should be greater than 0"
NUMFIELDS_DIFFERS: Final = b"ERR The `numfields` parameter must match the number of arguments"
CONDITIONS: Final = frozenset((b"NX", b"XX", b"GT", b"LT"))

NO_FIELD: Final = -2
NO_DEADLINE: Final = -1
NOT_DONE: Final = 0
DONE: Final = 1
DELETED: Final = 2


def parse_fields(args: list[bytes], index: int, step: int = 1) -> list[bytes]:
    """Parse `FIELDS numfields field...` from `index` on, to the end. With a `step` of 2, each field
    is followed by a value."""
    if index >= len(args) or not arguments.is_word(args[index], b"FIELDS"):
        raise CommandError(NO_FIELDS)
    if index + 1 >= len(args):
        raise CommandError(wrong_arity(args[0].lower()))
    count = arguments.integer_between(args[index + 1], 1, INT64_MAX, NUMFIELDS)
    found = args[index + 2 :]
    if count * step != len(found):
        raise CommandError(NUMFIELDS_DIFFERS)
    return found


# -- setting deadlines -----------------------------------------------------------------------


def set_deadlines(client: Client, args: list[bytes], form: int) -> None:
    """Set the deadlines of fields, in this form of the argument."""
    if arguments.integer(args[2]) < 0:
        raise CommandError(NEGATIVE)
    ends = deadline(args[2], form, client.db.expiry_clock, args[0].lower())
    condition = args[3].upper()
    index = 3
    if condition in CONDITIONS:
        index = 4
    else:
        condition = b""
    fields = parse_fields(args, index)
    read_typed_for_write(client.db, args[1], Hash)
    steps = change_deadlines(client, args[1], fields, (ends, condition))
    slicing.run(client, args, len(fields), steps)


def change_deadlines(
    client: Client, key: bytes, fields: list[bytes], change: tuple[int, bytes]
) -> Iterator[None]:
    """Set the deadline of fields if the condition allows it, and reply for each of them."""
    db, items = client.db, client.slice_items
    ends, condition = change
    reply.array(client.out, len(fields))
    for start in range(0, len(fields), items):
        if start:
            yield
        value = read_typed_for_write(db, key, Hash)
        chosen: dict[bytes, None] = {}
        for field in fields[start : start + items]:
            if value is None or not value.has(field) or (field in chosen and is_past(db, ends)):
                reply.integer(client.out, NO_FIELD)
            elif not allows(condition, ends if field in chosen else value.deadline_of(field), ends):
                reply.integer(client.out, NOT_DONE)
            else:
                chosen[field] = None
                reply.integer(client.out, DELETED if is_past(db, ends) else DONE)
        if chosen and is_past(db, ends):
            hashes.remove(db, key, list(chosen))
        elif chosen:
            hashes.expire(db, key, list(chosen), ends)


def is_past(db: Keyspace, ends: int) -> bool:
    """Return whether a deadline has passed, so that a field is removed immediately."""
    return ends <= db.expiry_clock


def allows(condition: bytes, before: int | None, after: int) -> bool:
    """Return whether a condition lets a deadline change. No deadline counts as one that never
    comes, except that XX wants one."""
    if condition == b"NX":
        return before is None
    if condition == b"XX":
        return before is not None
    if condition == b"GT":
        return before is not None and after > before
    if condition == b"LT":
        return before is None or after < before
    return True


@COMMANDS.declare(
    "hexpire",
    f"key seconds {CONDITION} {FIELDS}",
    "write denyoom fast",
    keys="RW update",
    summary="Sets the time to live of fields in seconds.",
    complexity=COST,
)
def hexpire(client: Client, args: list[bytes]) -> None:
    set_deadlines(client, args, SECONDS)


@COMMANDS.declare(
    "hpexpire",
    f"key milliseconds {CONDITION} {FIELDS}",
    "write denyoom fast",
    keys="RW update",
    summary="Sets the time to live of fields in milliseconds.",
    complexity=COST,
)
def hpexpire(client: Client, args: list[bytes]) -> None:
    set_deadlines(client, args, MILLISECONDS)


@COMMANDS.declare(
    "hexpireat",
    f"key unix-time-seconds {CONDITION} {FIELDS}",
    "write denyoom fast",
    keys="RW update",
    summary="Sets the time at which fields expire, in seconds since 1970.",
    complexity=COST,
)
def hexpireat(client: Client, args: list[bytes]) -> None:
    set_deadlines(client, args, AT_SECONDS)


@COMMANDS.declare(
    "hpexpireat",
    f"key unix-time-milliseconds {CONDITION} {FIELDS}",
    "write denyoom fast",
    keys="RW update",
    summary="Sets the time at which fields expire, in milliseconds since 1970.",
    complexity=COST,
)
def hpexpireat(client: Client, args: list[bytes]) -> None:
    set_deadlines(client, args, AT_MILLISECONDS)


@COMMANDS.declare(
    "hpersist",
    f"key {FIELDS}",
    "write fast",
    keys="RW update",
    summary="Removes the time to live of fields.",
    complexity=COST,
)
def hpersist(client: Client, args: list[bytes]) -> None:
    fields = parse_fields(args, 2)
    read_typed_for_write(client.db, args[1], Hash)
    slicing.run(client, args, len(fields), persist_fields(client, args[1], fields))


def persist_fields(client: Client, key: bytes, fields: list[bytes]) -> Iterator[None]:
    """End the time to live of fields, and reply for each of them."""
    db, items = client.db, client.slice_items
    reply.array(client.out, len(fields))
    for start in range(0, len(fields), items):
        if start:
            yield
        value = read_typed_for_write(db, key, Hash)
        chosen: dict[bytes, None] = {}
        for field in fields[start : start + items]:
            if value is None or not value.has(field):
                reply.integer(client.out, NO_FIELD)
            elif field in chosen or value.deadline_of(field) is None:
                reply.integer(client.out, NO_DEADLINE)
            else:
                chosen[field] = None
                reply.integer(client.out, DONE)
        if chosen:
            hashes.expire(db, key, list(chosen), None)


# -- reading deadlines -----------------------------------------------------------------------


def reply_deadlines(client: Client, args: list[bytes], shown: Callable[[int], int]) -> None:
    """Reply with what `shown` makes of the deadline of each field."""
    fields = parse_fields(args, 2)
    value = read_typed(client.db, args[1], Hash)
    slicing.run(client, args, len(fields), send_deadlines(client, value, fields, shown))


def send_deadlines(
    client: Client, value: Hash | None, fields: list[bytes], shown: Callable[[int], int]
) -> Iterator[None]:
    """Reply with the deadlines of fields, in slices."""
    reply.array(client.out, len(fields))
    for index, field in enumerate(fields):
        ends = None if value is None else value.deadline_of(field)
        if value is None or not value.has(field):
            reply.integer(client.out, NO_FIELD)
        else:
            reply.integer(client.out, NO_DEADLINE if ends is None else shown(ends))
        if index % client.slice_items == client.slice_items - 1:
            yield


@COMMANDS.declare(
    "httl",
    f"key {FIELDS}",
    "readonly fast",
    summary="Returns the time to live of fields in seconds.",
    complexity=COST,
    tips="nondeterministic_output",
)
def httl(client: Client, args: list[bytes]) -> None:
    clock = client.db.expiry_clock
    reply_deadlines(client, args, lambda ends: (ends - clock + 999) // 1000)


@COMMANDS.declare(
    "hpttl",
    f"key {FIELDS}",
    "readonly fast",
    summary="Returns the time to live of fields in milliseconds.",
    complexity=COST,
    tips="nondeterministic_output",
)
def hpttl(client: Client, args: list[bytes]) -> None:
    clock = client.db.expiry_clock
    reply_deadlines(client, args, lambda ends: ends - clock)


@COMMANDS.declare(
    "hexpiretime",
    f"key {FIELDS}",
    "readonly fast",
    summary="Returns the time at which fields expire, in seconds since 1970.",
    complexity=COST,
)
def hexpiretime(client: Client, args: list[bytes]) -> None:
    reply_deadlines(client, args, lambda ends: (ends + 999) // 1000)


@COMMANDS.declare(
    "hpexpiretime",
    f"key {FIELDS}",
    "readonly fast",
    summary="Returns the time at which fields expire, in milliseconds since 1970.",
    complexity=COST,
)
def hpexpiretime(client: Client, args: list[bytes]) -> None:
    reply_deadlines(client, args, lambda ends: ends)


# -- values and deadlines together -----------------------------------------------------------


def reply_values(client: Client, value: Hash | None, fields: list[bytes]) -> None:
    """Reply with the values of fields."""
    reply.array(client.out, len(fields))
    for field in fields:
        text = None if value is None else value.get(field)
        reply.bulk_or_null(client.out, client.protocol, text)


@COMMANDS.declare(
    "hgetdel",
    f"key {FIELDS}",
    "write fast",
    keys="RW access delete",
    since="8.0.0",
    summary="Returns the values of fields and removes the fields.",
    complexity=COST,
)
def hgetdel(client: Client, args: list[bytes]) -> None:
    fields = parse_fields(args, 2)
    value = read_typed_for_write(client.db, args[1], Hash)
    reply_values(client, value, fields)
    hashes.remove(client.db, args[1], fields)


@COMMANDS.declare(
    "hgetex",
    f"key [expiration: {EXPIRATION} | PERSIST] {FIELDS}",
    "write fast",
    since="8.0.0",
    summary="Returns the values of fields, and sets or removes their time to live.",
    complexity=COST,
)
def hgetex(client: Client, args: list[bytes]) -> None:
    db = client.db
    word = args[2].upper()
    form = LIFETIMES.get(word, 0)
    ends = 0
    if form:
        if len(args) < 5:
            raise CommandError(wrong_arity(b"hgetex"))
        ends = positive_deadline(args[3], form, db.expiry_clock, b"hgetex")
    fields = parse_fields(args, 4 if form else 3 if word == b"PERSIST" else 2)
    value = read_typed_for_write(db, args[1], Hash)
    reply_values(client, value, fields)
    held = [] if value is None else [each for each in dict.fromkeys(fields) if value.has(each)]
    if form and held and is_past(db, ends):
        hashes.remove(db, args[1], held)
    elif form and held:
        hashes.expire(db, args[1], held, ends)
    elif word == b"PERSIST" and value is not None:
        timed = [field for field in held if value.deadline_of(field) is not None]
        if timed:
            hashes.expire(db, args[1], timed, None)


@COMMANDS.declare(
    "hsetex",
    f"key [condition: FNX | FXX] [expiration: {EXPIRATION} | KEEPTTL]"
    " (FIELDS numfields (data: field value)...)",
    "write denyoom fast",
    keys="RW update",
    since="8.0.0",
    summary="Sets fields with a time to live.",
    complexity=COST,
)
def hsetex(client: Client, args: list[bytes]) -> None:
    """Set fields if none of them exists (FNX), or if all of them do (FXX). Reply whether."""
    db, index = client.db, 2
    condition, form, amount, keeps = b"", 0, b"", False
    while index < len(args) and not arguments.is_word(args[index], b"FIELDS"):
        word = args[index].upper()
        if word in (b"FNX", b"FXX") and not condition:
            condition = word
        elif word in LIFETIMES and not form and not keeps and index + 1 < len(args):
            form, amount = LIFETIMES[word], args[index + 1]
            index += 1
        elif word == b"KEEPTTL" and not form:
            keeps = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    ends = positive_deadline(amount, form, db.expiry_clock, b"hsetex") if form else 0
    pairs = parse_fields(args, index, 2)
    value = read_typed_for_write(db, args[1], Hash)
    fields = list(dict.fromkeys(pairs[::2]))
    held = [] if value is None else [field for field in fields if value.has(field)]
    if (condition == b"FNX" and held) or (condition == b"FXX" and len(held) < len(fields)):
        reply.integer(client.out, NOT_DONE)
        return
    before = [(field, deadline_of(value, field)) for field in held] if keeps else []
    if form and is_past(db, ends):
        hashes.remove(db, args[1], held)
    else:
        hashes.assign(db, args[1], pairs)
        if form:
            hashes.expire(db, args[1], fields, ends)
        for field, kept in before:
            if kept is not None:
                hashes.expire(db, args[1], [field], kept)
    reply.integer(client.out, DONE)


def deadline_of(value: Hash | None, field: bytes) -> int | None:
    """Return the deadline of a field of a hash, which may be missing."""
    return None if value is None else value.deadline_of(field)
