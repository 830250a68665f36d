"""Reading of lengths, strings and numbers from serialised values."""

from __future__ import annotations

import struct
from typing import Final

from crdb.rdb.errors import RdbError
from crdb.rdb.lzf import decompress

INTEGERS: Final = {0: 1, 1: 2, 2: 4}
"""The bytes of integers in place of strings, by their encoding."""
COMPRESSED: Final = 3
SPECIAL_SCORES: Final = {253: float("nan"), 254: float("inf"), 255: float("-inf")}


class RdbSource:
    """Bytes that are read from the front. Each method raises RdbError at their end."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        stop = self.at + size
        if stop > len(self.data):
            raise RdbError("the data are cut off")
        taken = self.data[self.at : stop]
        self.at = stop
        return taken

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def length(self) -> int:
        """Return a length."""
        size, is_encoded = self.length_or_encoding()
        if is_encoded:
            raise RdbError("an encoding stands where a length must be")
        return size

    def length_or_encoding(self) -> tuple[int, bool]:
        """Return a length and False, or the number of an encoding and True."""
        first = self.byte()
        kind = first >> 6
        if kind == 0:
            return first & 0x3F, False
        if kind == 1:
            return (first & 0x3F) << 8 | self.byte(), False
        if kind == 3:
            return first & 0x3F, True
        if first == 0x80:
            return int.from_bytes(self.take(4), "big"), False
        if first == 0x81:
            return int.from_bytes(self.take(8), "big"), False
        raise RdbError("a length has an unknown form")

    def string(self) -> bytes:
        """Return a string, which may be an integer or compressed."""
        size, is_encoded = self.length_or_encoding()
        if not is_encoded:
            return self.take(size)
        width = INTEGERS.get(size)
        if width is not None:
            return b"%d" % int.from_bytes(self.take(width), "little", signed=True)
        if size != COMPRESSED:
            raise RdbError("a string has an unknown encoding")
        packed, full = self.length(), self.length()
        return decompress(self.take(packed), full)

    def score(self) -> float:
        """Return a score in eight bytes."""
        score: float = struct.unpack("<d", self.take(8))[0]
        return score

    def old_score(self) -> float:
        """Return a score in the form of RDB versions below 8: as text, or a special value."""
        size = self.byte()
        special = SPECIAL_SCORES.get(size)
        return parse_score(self.take(size)) if special is None else special


def parse_score(text: bytes) -> float:
    """Return a score that was written as text. Raises RdbError."""
    try:
        return float(text)
    except ValueError:
        raise RdbError("a score is no number") from None
