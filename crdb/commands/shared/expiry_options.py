"""Deadlines in the arguments of clients: seconds or milliseconds, relative or absolute.

Deadlines are ms of wall clock from 0 to 2^49 (rule EXP-8). Later ones are refused with the text
that Redis has for its own, greater, limit.
"""

from __future__ import annotations

from typing import Final

from crdb.engine import arguments
from crdb.engine.errors import CommandError, invalid_expire
from crdb.resp.numbers import INT64_MIN
from crdt.causality.schema import DEADLINE_MAX

SECONDS: Final = 1
MILLISECONDS: Final = 2
AT_SECONDS: Final = 3
AT_MILLISECONDS: Final = 4

EXPIRATION: Final = (
    "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"
)
"""The syntax of these options."""
LIFETIMES: Final[dict[bytes, int]] = {
    b"EX": SECONDS,
    b"PX": MILLISECONDS,
    b"EXAT": AT_SECONDS,
    b"PXAT": AT_MILLISECONDS,
}
"""The options of SET and GETEX."""


def deadline(argument: bytes, form: int, now: int, command: bytes) -> int:
    """Return the deadline that `argument` stands for, in ms. It may have passed already."""
    amount = arguments.integer(argument)
    if form in (SECONDS, AT_SECONDS):
        amount *= 1000
        if amount < INT64_MIN:
            raise CommandError(invalid_expire(command))
    if form in (SECONDS, MILLISECONDS):
        amount += now
    if amount > DEADLINE_MAX:
        raise CommandError(invalid_expire(command))
    return amount


def positive_deadline(argument: bytes, form: int, now: int, command: bytes) -> int:
    """Return the deadline like `deadline`. Raises CommandError if the time is not positive."""
    if arguments.integer(argument) <= 0:
        raise CommandError(invalid_expire(command))
    return deadline(argument, form, now, command)
