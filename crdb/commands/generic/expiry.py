"""Commands on expiry: EXPIRE, TTL, PERSIST and similar ones.

Deadlines are replicated as absolute times (rule EXP-9). The longest of several concurrent deadlines
wins, and PERSIST counts as the longest of all (EXP-1, EXP-2). PERSIST is therefore sent even if the
key has no time to live (D-10). NX, XX, GT and LT test the deadline that this region sees. A
deadline that has passed deletes the key immediately.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import expiry_options
from crdb.engine.client import Client
from crdb.engine.errors import CommandError, one_line, printable
from crdb.resp import reply
from crdt.store.keyspace import Keyspace

COMMANDS: Final[CommandFamily] = CommandFamily("generic")


NX_WITH_OTHERS: Final = b"ERR NX and XX, GT or LT options at the same time are not compatible"
GT_WITH_LT: Final = b"ERR GT and LT options at the same time are not compatible"

NX: Final = 1
XX: Final = 2
GT: Final = 4
LT: Final = 8
CONDITIONS: Final[dict[bytes, int]] = {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT}
MISSING: Final = -2
NO_EXPIRY: Final = -1


@COMMANDS.declare(
    "expire",
    "key seconds [condition: NX | XX | GT | LT]",
    "write fast",
    keys="RW update",
    summary="Sets the time to live of a key in seconds.",
    history=("7.0.0 argument `condition`",),
)
def expire(client: Client, args: list[bytes]) -> None:
    set_deadline(client, args, expiry_options.SECONDS, b"expire")


@COMMANDS.declare(
    "pexpire",
    "key milliseconds [condition: NX | XX | GT | LT]",
    "write fast",
    keys="RW update",
    since="2.6.0",
    summary="Sets the time to live of a key in milliseconds.",
    history=("7.0.0 argument `condition`",),
)
def pexpire(client: Client, args: list[bytes]) -> None:
    set_deadline(client, args, expiry_options.MILLISECONDS, b"pexpire")


@COMMANDS.declare(
    "expireat",
    "key unix-time-seconds [condition: NX | XX | GT | LT]",
    "write fast",
    keys="RW update",
    since="1.2.0",
    summary="Sets the time at which a key expires, in seconds since 1970.",
    history=("7.0.0 argument `condition`",),
)
def expireat(client: Client, args: list[bytes]) -> None:
    set_deadline(client, args, expiry_options.AT_SECONDS, b"expireat")


@COMMANDS.declare(
    "pexpireat",
    "key unix-time-milliseconds [condition: NX | XX | GT | LT]",
    "write fast",
    keys="RW update",
    since="2.6.0",
    summary="Sets the time at which a key expires, in milliseconds since 1970.",
    history=("7.0.0 argument `condition`",),
)
def pexpireat(client: Client, args: list[bytes]) -> None:
    set_deadline(client, args, expiry_options.AT_MILLISECONDS, b"pexpireat")


def set_deadline(client: Client, args: list[bytes], form: int, command: bytes) -> None:
    """Carry out EXPIRE, PEXPIRE, EXPIREAT or PEXPIREAT. `form` says how the time is given."""
    db = client.db
    key = args[1]
    conditions = parse_conditions(args) if len(args) > 3 else 0
    deadline = expiry_options.deadline(args[2], form, db.expiry_clock, command)
    is_missing = db.lookup_for_write(key) is None
    if is_missing or (conditions and not is_allowed(conditions, db.deadline(key), deadline)):
        reply.integer(client.out, 0)
        return
    if deadline <= db.expiry_clock:
        db.delete(key)
    else:
        db.expire(key, deadline)
    reply.integer(client.out, 1)


def parse_conditions(args: list[bytes]) -> int:
    """Return the conditions after key and time as bits. Raises CommandError."""
    conditions = 0
    for index in range(3, len(args)):
        condition = CONDITIONS.get(args[index].upper(), 0)
        if condition == 0:
            raise CommandError(b"ERR Unsupported option " + one_line(printable(args[index])))
        conditions |= condition
    if conditions & NX and conditions != NX:
        raise CommandError(NX_WITH_OTHERS)
    if conditions & GT and conditions & LT:
        raise CommandError(GT_WITH_LT)
    return conditions


def is_allowed(conditions: int, held: int | None, deadline: int) -> bool:
    """Return whether `conditions` let `deadline` replace the deadline `held`.

    None stands for a key that does not expire.
    """
    if held is None:
        return not conditions & (XX | GT)
    if conditions & NX:
        return False
    if conditions & GT and deadline <= held:
        return False
    return not (conditions & LT and deadline >= held)


@COMMANDS.declare(
    "persist",
    "key",
    "write fast",
    keys="RW update",
    since="2.2.0",
    summary="Removes the time to live of a key, and wins against every concurrent one.",
)
def persist(client: Client, args: list[bytes]) -> None:
    """Remove the time to live. The effect is sent even if the reply is 0 (D-10)."""
    db = client.db
    key = args[1]
    if db.lookup_for_write(key) is None:
        reply.integer(client.out, 0)
        return
    held = db.deadline(key)
    db.expire(key, None)
    reply.integer(client.out, 0 if held is None else 1)


def deadline_of(db: Keyspace, key: bytes) -> int:
    """Return the deadline of `key` in ms, or the reply for a missing key or deadline."""
    if db.inspect(key) is None:
        return MISSING
    held = db.deadline(key)
    return NO_EXPIRY if held is None else held


@COMMANDS.declare(
    "ttl",
    "key",
    "readonly fast",
    summary="Returns the time to live of a key in seconds.",
    tips="nondeterministic_output",
    history=("2.8.0 reply -2",),
)
def ttl(client: Client, args: list[bytes]) -> None:
    """Reply with rounded seconds."""
    held = deadline_of(client.db, args[1])
    reply.integer(client.out, held if held < 0 else (held - client.db.expiry_clock + 500) // 1000)


@COMMANDS.declare(
    "pttl",
    "key",
    "readonly fast",
    since="2.6.0",
    summary="Returns the time to live of a key in milliseconds.",
    tips="nondeterministic_output",
    history=("2.8.0 reply -2",),
)
def pttl(client: Client, args: list[bytes]) -> None:
    held = deadline_of(client.db, args[1])
    reply.integer(client.out, held if held < 0 else held - client.db.expiry_clock)


@COMMANDS.declare(
    "expiretime",
    "key",
    "readonly fast",
    since="7.0.0",
    summary="Returns the time at which a key expires, in seconds since 1970.",
)
def expiretime(client: Client, args: list[bytes]) -> None:
    """Reply with rounded seconds since 1970."""
    held = deadline_of(client.db, args[1])
    reply.integer(client.out, held if held < 0 else (held + 500) // 1000)


@COMMANDS.declare(
    "pexpiretime",
    "key",
    "readonly fast",
    since="7.0.0",
    summary="Returns the time at which a key expires, in milliseconds since 1970.",
)
def pexpiretime(client: Client, args: list[bytes]) -> None:
    reply.integer(client.out, deadline_of(client.db, args[1]))
