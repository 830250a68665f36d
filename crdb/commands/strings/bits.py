"""Bits of a string, numbered as Redis numbers them: bit 0 is the highest of the first byte.

Bits after the end of the string are zeros. Fields of 1 to 64 bits may start at any bit. A number
that does not fit into a field wraps around, saturates, or is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

PART_BYTES: Final = 16 << 10
WRAP: Final = 0
SATURATE: Final = 1
FAIL: Final = 2


class Field:
    """A type of bit field: `bits` wide, signed or unsigned."""

    __slots__ = ("bits", "signed")

    def __init__(self, bits: int, signed: bool) -> None:
        self.bits = bits
        self.signed = signed

    def read(self, data: bytes | bytearray, offset: int) -> int:
        """Return the number at bit `offset`.

        >>> Field(4, False).read(b"\\xab", 4), Field(4, True).read(b"\\xab", 4)
        (11, -5)
        """
        first, last = offset >> 3, (offset + self.bits + 7) >> 3
        piece = data[first:last].ljust(last - first, b"\0")
        number = int.from_bytes(piece, "big") >> (8 * last - offset - self.bits)
        return self.wrap(number)

    def write(self, data: bytearray, offset: int, number: int) -> None:
        """Write `number` at bit `offset` of `data`. It must fit, and `data` must be long enough."""
        first, last = offset >> 3, (offset + self.bits + 7) >> 3
        shift = 8 * last - offset - self.bits
        mask = ((1 << self.bits) - 1) << shift
        held = int.from_bytes(data[first:last], "big")
        written = held & ~mask | (number << shift) & mask
        data[first:last] = written.to_bytes(last - first, "big")

    def wrap(self, number: int) -> int:
        """Return the lowest bits of `number` as a number of this type."""
        number &= (1 << self.bits) - 1
        if self.signed and number >> (self.bits - 1):
            number -= 1 << self.bits
        return number

    def fit(self, number: int, overflow: int) -> int | None:
        """Return `number` fitted to this type, or None if it does not fit and FAIL is given."""
        low = -(1 << (self.bits - 1)) if self.signed else 0
        high = low + (1 << self.bits) - 1
        if low <= number <= high:
            return number
        if overflow == WRAP:
            return self.wrap(number)
        if overflow == SATURATE:
            return high if number > high else low
        return None


def count(data: bytes, first: int, last: int) -> int:
    """Count the bits that are set from bit `first` to bit `last`, inclusive.

    Both must lie within `data`.
    """
    span = last - first + 1
    shift = 7 - (last & 7)
    number = int.from_bytes(data[first >> 3 : (last >> 3) + 1], "big") >> shift
    return (number & ((1 << span) - 1)).bit_count()


def find(data: bytes, bit: int, first: int, last: int) -> int:
    """Return the first bit equal to `bit` from `first` to `last`, inclusive, or -1.

    >>> find(b"\\xff\\xf0", 0, 0, 15), find(b"\\xff\\xf0", 1, 12, 15)
    (12, -1)
    """
    span = last - first + 1
    shift = 7 - (last & 7)
    number = int.from_bytes(data[first >> 3 : (last >> 3) + 1], "big") >> shift
    number &= (1 << span) - 1
    if bit == 0:
        number ^= (1 << span) - 1
    return first + span - number.bit_length() if number else -1


class PartReader:
    """Reads a string in parts, by `part(start, stop)`, in slices of `parts` parts."""

    __slots__ = ("found", "part", "part_bytes", "parts")

    def __init__(
        self, part: Callable[[int, int], bytes], parts: int, part_bytes: int = PART_BYTES
    ) -> None:
        self.part = part
        self.parts = max(parts, 1)
        self.part_bytes = part_bytes
        self.found = 0
        """The result of `count` or `find`."""

    def slices(self, first: int, last: int) -> Iterator[list[tuple[int, bytes]]]:
        """Yield the parts that hold the bits from `first` to `last`, with their first byte."""
        size, stop = self.part_bytes, (last >> 3) + 1
        for begin in range(first >> 3, stop, size * self.parts):
            end = min(begin + size * self.parts, stop)
            yield [(at, self.part(at, min(at + size, end))) for at in range(begin, end, size)]

    def count(self, first: int, last: int) -> Iterator[None]:
        """Let `found` be the result of `count`."""
        for parts in self.slices(first, last):
            for start, data in parts:
                begin = 8 * start
                end = min(last - begin, 8 * len(data) - 1)
                self.found += count(data, max(first - begin, 0), end)
            yield

    def find(self, bit: int, first: int, last: int) -> Iterator[None]:
        """Let `found` be the result of `find`."""
        for parts in self.slices(first, last):
            for start, data in parts:
                begin = 8 * start
                end = min(last - begin, 8 * len(data) - 1)
                self.found = find(data, bit, max(first - begin, 0), end)
                if self.found >= 0:
                    self.found += begin
                    return
            yield
        self.found = -1


def combine(operation: bytes, texts: list[bytes]) -> bytes:
    """Return AND, OR or XOR of several strings, or NOT of one.

    Shorter ones are padded with zeros.
    """
    size = max(map(len, texts), default=0)
    numbers = [int.from_bytes(text.ljust(size, b"\0"), "big") for text in texts]
    result = numbers[0]
    for number in numbers[1:]:
        if operation == b"AND":
            result &= number
        elif operation == b"OR":
            result |= number
        else:
            result ^= number
    if operation == b"NOT":
        result ^= (1 << (8 * size)) - 1
    return result.to_bytes(size, "big")
