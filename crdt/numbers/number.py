"""Numbers as Redis parses, adds and prints them.

Integers are exact, and merged integers are unbounded. A local increment must stay within the 59
bits of rule CTR-2 (D-05).

Fractions of strings and hash fields are *decimal texts*: byte strings of at most 17 decimals, as
Redis prints a long double. They are added exactly, so the order of delivery does not matter, and
0.1 + 0.2 is 0.3 (rule CTR-3). INCRBYFLOAT adds in long doubles, as Redis does. It replicates the
exact difference between the texts before and after. The sum of all increments is printed as the
nearest long double. So a single region replies the same digits as Redis.

Scores are floats. They are added as the decimals that they print as: 6.1 minus 4.1 is exactly 2.0.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from math import isfinite
from typing import Final

from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers import long_double
from crdt.numbers.long_double import LongDouble

Number = int | float | bytes
"""An integer, a score, or a decimal text that is not a 64-bit integer."""

COUNTER_MAX: Final = (1 << 59) - 1
INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
FRACTION: Final = re.compile(rb"-?(?:(?:0|[1-9][0-9]*)\.[0-9]{0,16}[1-9]|[1-9][0-9]*)")
EXACT: Final = Context(prec=8192)
INTEGRAL_MAX: Final = 1 << 53
FRACTION_BYTES_MAX: Final = 6 * 1024  # a long double has at most 4,933 digits and 17 decimals
NAN_OR_INFINITY: Final = "increment would produce NaN or Infinity"


def parse_integer(text: bytes) -> int | None:
    """Return the signed 64-bit integer that Redis would print as `text`, or None."""
    if not INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 63 else None


def parse_number(text: bytes) -> Number | None:
    """Return the finite number that `text` represents, to which increments are added, or None."""
    integer = parse_integer(text)
    if integer is not None:
        return integer
    value = long_double.parse(text)
    if value is None or long_double.is_infinite(value):
        return None
    return shortened(long_double.to_text(value))


def is_fraction(item: object) -> bool:
    """Return whether `item` is a decimal text."""
    if type(item) is not bytes or len(item) > FRACTION_BYTES_MAX:
        return False
    return FRACTION.fullmatch(item) is not None and (b"." in item or parse_integer(item) is None)


def shortened(text: bytes) -> Number:
    """Return `text` as an integer if it is a 64-bit integer, else unchanged."""
    integer = parse_integer(text)
    return text if integer is None else integer


def decimal_of(number: Number) -> Decimal:
    """Return the exact decimal number that `number` prints as."""
    if isinstance(number, int):
        return Decimal(number)
    return Decimal(repr(number) if isinstance(number, float) else number.decode())


def simplest(number: Decimal) -> int | float:
    """Return `number` as an integer if it is integral and below 2^53, else as the nearest float."""
    if abs(number) < INTEGRAL_MAX and number == number.to_integral_value():
        return int(number)
    return float(number)


def add(left: Number, right: Number) -> Number:
    """Return the sum, which is computed in decimal unless both are integers. NaN becomes 0."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if isinstance(left, float) or isinstance(right, float):
        for number in (left, right):
            if isinstance(number, float) and not isfinite(number):
                total = float(left) + float(right)
                return 0 if total != total else total
        return simplest(EXACT.add(decimal_of(left), decimal_of(right)))
    return exact(EXACT.add(decimal_of(left), decimal_of(right)))


def subtract(left: Number, right: Number) -> Number:
    """Return the difference, computed as by `add`."""
    if isinstance(right, bytes):
        return add(left, right[1:] if right[:1] == b"-" else b"-" + right)
    return add(left, -right)


def exact(number: Decimal) -> Number:
    """Return a number of at most 17 decimals as a decimal text or an integer."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return 0 if text == "-0" else shortened(text.encode())


def text_of(number: Number) -> bytes:
    """Return the number as Redis prints it."""
    if isinstance(number, int):
        return b"%d" % number
    if isinstance(number, float):
        if not isfinite(number):
            return b"inf" if number > 0 else b"-inf"
        number = f"{decimal_of(number):f}".encode()
    value = long_double.parse(number)
    return number if value is None else long_double.to_text(value)


def increased(text: bytes, delta: LongDouble) -> bytes | None:
    """Return the result of INCRBYFLOAT on `text`; None if `text` is not a number.

    Raises NotANumber if the sum is infinite.
    """
    value = long_double.parse(text)
    if value is None:
        return None
    if long_double.is_infinite(value) or long_double.is_infinite(delta):
        raise NotANumber(NAN_OR_INFINITY)
    total = long_double.add(value, delta)
    if long_double.is_infinite(total):
        raise NotANumber(NAN_OR_INFINITY)
    return long_double.to_text(total)


def check_range(value: int, before: int = 0) -> int:
    """Return `value` if a counter that holds `before` may be changed to it. Raises CounterOverflow.

    SET or concurrent increments can bring a counter beyond the range. Such a counter may be changed
    to a value that is closer to 0.
    """
    if not -COUNTER_MAX <= value <= COUNTER_MAX and abs(value) >= abs(before):
        raise CounterOverflow("increment or decrement would overflow")
    return value


def check_sum(total: Number) -> None:
    """Raise CounterOverflow if one origin's sum of increments does not fit into 64 bits."""
    if isinstance(total, int) and not -(1 << 63) <= total < 1 << 63:
        raise CounterOverflow("increment or decrement would overflow")


def portable(total: Number) -> Number:
    """Return one origin's sum of increments in its wire form. An integer that does not fit into 64
    bits becomes a decimal text. Raises CounterOverflow if the text is too long."""
    if isinstance(total, int):
        if -COUNTER_MAX <= total <= COUNTER_MAX or -(1 << 63) <= total < 1 << 63:
            return total  # the first comparison is faster and nearly always true
        return b"%d" % total
    if isinstance(total, bytes) and len(total) > FRACTION_BYTES_MAX:
        raise CounterOverflow("increment or decrement would overflow")
    return total


def integer_of(number: int | None) -> int:
    """Return `number`. Raises NotANumber if it is None."""
    if number is not None:
        return number
    raise NotANumber("value is not an integer or out of range")
