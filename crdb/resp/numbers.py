"""Parse integers as Redis does, and format floating-point numbers as Redis 7.2 does.

An integer is accepted only in the form in which Redis prints it.

Redis prints a double that is a whole number up to 2^62 as an integer. It prints any other double
with the fewest digits that read back the same: in positional notation if that is short, and
otherwise with an unpadded exponent. Examples are 3, 3.1, 0.000015, 1e+20, 1.5e-7.
"""

from __future__ import annotations

import math
from typing import Final

INT64_MAX: Final = (1 << 63) - 1
INT64_MIN: Final = -(1 << 63)
WHOLE_MAX: Final = float(1 << 62)


def parse_integer(text: bytes) -> int | None:
    """Return the signed 64-bit integer in canonical `text`, or None.

    >>> [parse_integer(text) for text in (b"-7", b"0", b"+7", b"07", b"-0", b" 7", b"")]
    [-7, 0, None, None, None, None, None]
    """
    size = len(text)
    if size == 0 or size > 20:
        return None
    digits = text[1:] if text[0] == 45 else text
    if not digits.isdigit() or (digits[0] == 48 and size > 1):
        return None
    value = int(text)
    return value if INT64_MIN <= value <= INT64_MAX else None


def format_double(value: float) -> bytes:
    """Return the digits that Redis sends for `value`.

    >>> [format_double(n) for n in (3.0, 3.1, -0.0, 1e20, 1.5e-7, float("-inf"))]
    [b'3', b'3.1', b'-0', b'1e+20', b'1.5e-7', b'-inf']
    """
    if math.isnan(value):
        return b"nan"
    if math.isinf(value):
        return b"inf" if value > 0 else b"-inf"
    if value == 0:
        return b"-0" if math.copysign(1.0, value) < 0 else b"0"
    if -WHOLE_MAX <= value <= WHOLE_MAX and value == int(value):
        return b"%d" % int(value)
    return _shortest(value)


def _shortest(value: float) -> bytes:
    """Return the shortest digits, with an exponent if positional notation has many zeros."""
    mantissa, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    scale = int(exponent_text or 0) - len(fraction)
    stripped = digits.rstrip("0")
    scale += len(digits) - len(stripped)
    digits = stripped
    magnitude = scale + len(digits) - 1
    if scale >= 0 and magnitude < len(digits) + 7:
        text = digits + "0" * scale
    elif scale < 0 and (scale > -7 or abs(magnitude) < 4):
        point = len(digits) + scale
        text = f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"
    else:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{tail}e{'+' if magnitude >= 0 else '-'}{abs(magnitude)}"
    return (f"-{text}" if value < 0 else text).encode()
