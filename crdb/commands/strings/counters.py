"""Commands on counters: INCR and the others that add to a string.

Increments of all regions add up (rule CTR-1). An increment is refused if the sum that this region
sees would exceed 59 bits of magnitude (CTR-2, D-05). Sums of concurrent increments are never
refused.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import DirectHandler
from crdb.engine.errors import NOT_A_FLOAT, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdb.resp.numbers import INT64_MIN
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers import long_double
from crdt.types.string import String
from crdt.writes.string import increment, increment_counted, increment_decimal, mark

COMMANDS: Final[CommandFamily] = CommandFamily("string")


DECREMENT_OVERFLOW: Final = b"ERR decrement would overflow"


@COMMANDS.declare(
    "incr",
    "key",
    "write denyoom fast",
    summary="Adds one to a counter. Concurrent increments of all regions add up.",
)
def incr(client: Client, args: list[bytes]) -> None:
    add_to_counter(client, args[1], 1)


class Incr(DirectHandler):
    """INCR, called directly."""

    __slots__ = ()

    def run(self, client: Client, args: list[bytes]) -> None:
        add_to_counter(client, args[1], 1)


COMMANDS.call_directly(Incr())


@COMMANDS.declare("decr", "key", "write denyoom fast", summary="Subtracts one from a counter.")
def decr(client: Client, args: list[bytes]) -> None:
    add_to_counter(client, args[1], -1)


@COMMANDS.declare(
    "incrby", "key increment", "write denyoom fast", summary="Adds an integer to a counter."
)
def incrby(client: Client, args: list[bytes]) -> None:
    add_to_counter(client, args[1], arguments.integer(args[2]))


@COMMANDS.declare(
    "decrby", "key decrement", "write denyoom fast", summary="Subtracts an integer from a counter."
)
def decrby(client: Client, args: list[bytes]) -> None:
    delta = arguments.integer(args[2])
    if delta == INT64_MIN:
        raise CommandError(DECREMENT_OVERFLOW)
    add_to_counter(client, args[1], -delta)


def add_to_counter(client: Client, key: bytes, delta: int) -> None:
    """Add `delta` to the integer under `key` and reply with the sum."""
    db = client.db
    try:
        result = increment_counted(db, key, delta)
        if result is None:
            value = db.lookup_for_write(key)
            if value is not None and not isinstance(value, String):
                raise CommandError(WRONG_TYPE)
            result = increment(db, key, delta, value)
    except (NotANumber, CounterOverflow) as refusal:
        raise CommandError(b"ERR %b" % str(refusal).encode()) from refusal
    reply.integer(client.out, result)


@COMMANDS.declare(
    "incrbyfloat",
    "key increment:double",
    "write denyoom fast",
    since="2.6.0",
    summary="Adds a number to a counter.",
)
def incrbyfloat(client: Client, args: list[bytes]) -> None:
    """Add in long doubles, as Redis does (rule CTR-3)."""
    db = client.db
    value = db.lookup_for_write(args[1])
    if value is not None:
        if not isinstance(value, String):
            raise CommandError(WRONG_TYPE)
        if long_double.parse(value.read()) is None:
            raise CommandError(NOT_A_FLOAT)
    delta = long_double.parse(args[2])
    if delta is None:
        raise CommandError(NOT_A_FLOAT)
    try:
        result = increment_decimal(db, args[1], delta)
    except (NotANumber, CounterOverflow) as refusal:
        raise CommandError(b"ERR %b" % str(refusal).encode()) from refusal
    mark(db, args[1], is_raw=False)
    reply.bulk(client.out, result)
