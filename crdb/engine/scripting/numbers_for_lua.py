"""Numbers of fixed size for the libraries `bit`, `struct` and `cmsgpack`.

Lua knows doubles only. The functions here take them as int or float, do what C does with them, and
return what a double can hold.
"""

from __future__ import annotations

import math
import struct
from typing import Final

Number = int | float

TO_BITS: Final = 6755399441055744.0
"""Added to a double, this moves its whole part, rounded to even, to its lower half."""
UINT32_MAX: Final = 0xFFFFFFFF
INT32_SIGN: Final = 0x80000000
INT64_MIN: Final = -(1 << 63)
DIGITS_MAX: Final = 8


def to_bits(number: Number) -> int:
    """Return the lower 32 bits of a number, unsigned, as the library BitOp takes them."""
    packed = struct.pack("<d", float(number) + TO_BITS)
    return int.from_bytes(packed[:4], "little")


def from_bits(bits: int) -> int:
    """Return 32 bits as a signed integer."""
    bits &= UINT32_MAX
    return bits - (1 << 32) if bits & INT32_SIGN else bits


def tobit(number: Number) -> int:
    """Return a number as a signed integer of 32 bits."""
    return from_bits(to_bits(number))


def bnot(number: Number) -> int:
    """Return the complement."""
    return from_bits(~to_bits(number))


def bswap(number: Number) -> int:
    """Return the bytes in the opposite order."""
    return from_bits(int.from_bytes(to_bits(number).to_bytes(4, "little"), "big"))


def band(left: Number, right: Number = -1) -> int:
    """Return the bits that both have."""
    return from_bits(to_bits(left) & to_bits(right))


def bor(left: Number, right: Number = 0) -> int:
    """Return the bits that one of them has."""
    return from_bits(to_bits(left) | to_bits(right))


def bxor(left: Number, right: Number = 0) -> int:
    """Return the bits in which they differ."""
    return from_bits(to_bits(left) ^ to_bits(right))


def lshift(number: Number, places: Number) -> int:
    """Shift to the left, by at most 31 places."""
    return from_bits(to_bits(number) << (to_bits(places) & 31))


def rshift(number: Number, places: Number) -> int:
    """Shift to the right, and fill with zeros."""
    return from_bits(to_bits(number) >> (to_bits(places) & 31))


def arshift(number: Number, places: Number) -> int:
    """Shift to the right, and fill with the sign."""
    return tobit(number) >> (to_bits(places) & 31)


def rol(number: Number, places: Number) -> int:
    """Rotate to the left."""
    bits, count = to_bits(number), to_bits(places) & 31
    return from_bits(bits << count | bits >> (32 - count))


def ror(number: Number, places: Number) -> int:
    """Rotate to the right."""
    return rol(number, 32 - (to_bits(places) & 31))


def tohex(number: Number, digits: Number = DIGITS_MAX) -> bytes:
    """Return hexadecimal digits, in capitals if their number is negative."""
    count = tobit(digits)
    size = min(abs(count), DIGITS_MAX)
    text = b"%08x" % to_bits(number)
    text = text[DIGITS_MAX - size :]
    return text.upper() if count < 0 else text


def to_int64(number: Number) -> int:
    """Return a number as a cast of C to a signed integer of 64 bits does."""
    if isinstance(number, float) and not math.isfinite(number):
        return INT64_MIN
    whole = int(number)
    return whole if INT64_MIN <= whole < -INT64_MIN else INT64_MIN


def as_double(number: int) -> Number:
    """Return an integer that Lua can take: as a float if it needs more than 63 bits."""
    return number if INT64_MIN <= number < -INT64_MIN else float(number)


def pack_float(number: Number) -> bytes:
    """Return a number in MessagePack: in four bytes if that loses nothing, else in eight."""
    number = float(number)
    if math.isfinite(number) and abs(number) > FLOAT32_MAX:
        return b"\xcb" + struct.pack(">d", number)
    short = struct.pack(">f", number)
    if struct.unpack(">f", short)[0] == number:
        return b"\xca" + short
    return b"\xcb" + struct.pack(">d", number)


FLOAT32_MAX: Final = 3.4028234663852886e38


def unpack_float(text: bytes) -> float:
    """Return the number in four or eight bytes, the highest first."""
    value: float = struct.unpack(">f" if len(text) == 4 else ">d", text)[0]
    return value


def pack_int64(number: Number) -> bytes:
    """Return a number as eight bytes, the highest first."""
    return to_int64(number).to_bytes(8, "big", signed=True)


def unpack_int64(text: bytes) -> int:
    """Return the signed integer in eight bytes, the highest first."""
    return int.from_bytes(text, "big", signed=True)
