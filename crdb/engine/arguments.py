"""Numbers and options out of a client's arguments, as strictly as Redis reads them.

An integer must be spelled exactly as Redis would print it: no plus sign, no leading zero, no
space. A float is what C's `strtod` takes as a whole, without leading space. Each function raises
CommandError with the text of Redis; pass `text` where a command words it differently.

    count = arguments.integer(args[2])
    deadline = arguments.timeout(args[-1], client.instance.now)
    if arguments.is_word(args[3], b"WITHSCORES"): ...
"""

from __future__ import annotations

import math
import re
from typing import Final

from crdb.engine.errors import (
    NOT_A_FLOAT,
    NOT_AN_INTEGER,
    NOT_POSITIVE,
    OUT_OF_RANGE,
    TIMEOUT_NEGATIVE,
    TIMEOUT_NOT_A_FLOAT,
    TIMEOUT_OUT_OF_RANGE,
    CommandError,
)
from crdb.resp.numbers import INT64_MAX, parse_integer
from crdt.numbers import long_double

SHORT_DIGITS: Final = 16
SMALLEST: Final = 5e-324  # the smallest positive double
DECIMAL: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
HEXADECIMAL: Final = re.compile(
    rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
)
INFINITY: Final = re.compile(rb"[+-]?(?:inf|infinity)", re.IGNORECASE)
NONZERO_DIGIT: Final = re.compile(rb"[1-9a-fA-F]")


def parse_float(text: bytes) -> float | None:
    """Return the double in `text`, which may be infinite. Return None for NaN, an overflow or
    anything else."""
    if text.isdigit() and len(text) < SHORT_DIGITS:
        return float(text)
    if DECIMAL.fullmatch(text):
        value = float(text)
        if value != 0 and not math.isinf(value):
            return value
        mantissa = re.split(rb"[eE]", text)[0]
    elif INFINITY.fullmatch(text):
        return -math.inf if text[0] == 45 else math.inf
    elif HEXADECIMAL.fullmatch(text):
        try:
            value = float.fromhex(text.decode("ascii"))
        except OverflowError:
            return None
        mantissa = re.split(rb"[pP]", text)[0][2:]
    else:
        return None
    if math.isinf(value) or (value == 0 and NONZERO_DIGIT.search(mantissa)):
        return None
    return value


def integer(argument: bytes, text: bytes = NOT_AN_INTEGER) -> int:
    """Return a signed 64-bit integer."""
    value = parse_integer(argument)
    if value is None:
        raise CommandError(text)
    return value


def integer_between(argument: bytes, low: int, high: int, text: bytes = OUT_OF_RANGE) -> int:
    """Return an integer from `low` to `high`. `text` is the error for other integers."""
    value = integer(argument)
    if not low <= value <= high:
        raise CommandError(text)
    return value


def positive(argument: bytes, text: bytes = NOT_POSITIVE) -> int:
    """Return a count from 0 to 2^63 - 1. `text` is the error for anything else."""
    value = parse_integer(argument)
    if value is None or value < 0:
        raise CommandError(text)
    return value


def number(argument: bytes, text: bytes = NOT_A_FLOAT) -> float:
    """Return a double, which may be infinite but not NaN."""
    value = parse_float(argument)
    if value is None:
        raise CommandError(text)
    return value


def timeout(argument: bytes, now: int) -> int | None:
    """Return the deadline in ms of a blocking command. `argument` is its timeout in seconds.

    Return None for 0, which waits for ever. As in Redis, more than -1 ms counts as 0.
    """
    seconds = parse_float(argument)
    milliseconds = (_round_long_double(argument) if seconds is None else seconds) * 1000
    if milliseconds > INT64_MAX:
        raise CommandError(TIMEOUT_OUT_OF_RANGE)
    if milliseconds <= -1:
        raise CommandError(TIMEOUT_NEGATIVE)
    wait = math.ceil(milliseconds)
    if wait > INT64_MAX - now:
        raise CommandError(TIMEOUT_OUT_OF_RANGE)
    return now + wait if wait else None


def _round_long_double(argument: bytes) -> float:
    """Return a timeout that is too large or too small for a double. Redis reads timeouts as long
    doubles. Raises CommandError if it is not a number either."""
    number = long_double.parse(argument)
    if number is None:
        raise CommandError(TIMEOUT_NOT_A_FLOAT)
    size = math.inf if number[1] > 0 else SMALLEST
    return -size if number[0] < 0 else size


def is_word(argument: bytes, word: bytes) -> bool:
    """Return whether `argument` is the option `word` (in upper case), in any case."""
    return len(argument) == len(word) and argument.upper() == word
