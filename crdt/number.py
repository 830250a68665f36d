"""Numbers as Redis reads, adds and writes them.

Integers are exact and unbounded once merged; only what one region does locally is held to the
59 bits of rule CTR-2 (D-05). Fractions of strings are added in decimal, as people wrote them: so
0.1 + 0.2 is 0.3, and taking a removed 4.1 off 6.1 leaves 2.0 (rule CTR-3).
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation
from math import isfinite
from typing import Final

from crdt.errors import CounterOverflow, NotANumber

Number = int | float

COUNTER_MAX: Final = (1 << 59) - 1
INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
DIGITS: Final = 17
EXACT: Final = Context(prec=400)
ROUNDED: Final = Context(prec=DIGITS)
INTEGRAL_MAX: Final = 1 << 53
TEXT_MAX: Final = 5 * 1024  # longer texts are no numbers, as in Redis


def parse_integer(text: bytes) -> int | None:
    """The signed 64-bit integer that `text` spells exactly as Redis would print it, else None."""
    if not INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 63 else None


def parse_decimal(text: bytes) -> Decimal | None:
    """The finite decimal number that `text` spells, else None."""
    if not text or len(text) >= TEXT_MAX:
        return None
    if text[:1].isspace() or text[-1:].isspace() or b"_" in text:
        return None
    try:
        value = Decimal(text.decode("ascii"))
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return value if value.is_finite() and abs(value.adjusted()) <= 330 else None


def parse_number(text: bytes) -> int | Decimal | None:
    """The number that `text` spells: an integer if it can be one."""
    integer = parse_integer(text)
    return integer if integer is not None else parse_decimal(text)


def decimal_of(number: int | float | Decimal) -> Decimal:
    """The decimal number that `number` is written as."""
    if isinstance(number, float):
        return Decimal(repr(number))
    return Decimal(number)


def simplest(number: Decimal) -> Number:
    """An integer where `number` is a small one, else the nearest float."""
    if abs(number) < INTEGRAL_MAX and number == number.to_integral_value():
        return int(number)
    return float(number)


def add(left: int | float | Decimal, right: int | float | Decimal) -> Number:
    """The sum, in decimal unless both are integers. What would be no number is 0."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    for number in (left, right):
        if isinstance(number, float) and not isfinite(number):
            total = float(left) + float(right)
            return 0 if total != total else total
    return simplest(EXACT.add(decimal_of(left), decimal_of(right)))


def text_of(number: int | float | Decimal) -> bytes:
    """The number as Redis prints it: no exponent, 17 digits, no trailing zeros."""
    if isinstance(number, int):
        return b"%d" % number
    if isinstance(number, float) and not isfinite(number):
        return b"inf" if number > 0 else b"-inf"
    rounded = ROUNDED.plus(decimal_of(number))
    text = f"{rounded:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return b"0" if text in ("-0", "") else text.encode()


def check_range(value: int) -> int:
    """`value`, if a counter may hold it. Raises CounterOverflow."""
    if not -COUNTER_MAX <= value <= COUNTER_MAX:
        raise CounterOverflow("increment or decrement would overflow")
    return value


def check_sum(total: Number) -> None:
    """Refuse a sum of one origin's increments that no 64-bit integer holds."""
    if isinstance(total, int) and not -COUNTER_MAX <= total <= COUNTER_MAX:
        if not -(1 << 63) <= total < 1 << 63:
            raise CounterOverflow("increment or decrement would overflow")


def integer_of(number: int | Decimal | None) -> int:
    """`number` as an integer. Raises NotANumber when it is none."""
    if isinstance(number, int):
        return number
    raise NotANumber("value is not an integer or out of range")
