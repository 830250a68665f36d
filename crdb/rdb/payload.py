"""The payloads of DUMP and RESTORE: a value, the version of the serialisation, and a checksum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crdb.rdb.crc64 import crc64
from crdb.rdb.errors import RdbError

VERSION: Final = 9
"""The version that is written, that of Redis 5 and 6. Newer ones read it."""
VERSION_MAX: Final = 11
"""The newest version that is read, that of Redis 7.2."""
FOOTER_BYTES: Final = 10
PIECE_BYTES: Final = 1 << 16
"""The bytes whose checksum is computed at a time: about a millisecond."""


def seal_in_slices(parts: list[bytes]) -> Iterator[None]:
    """Append version and checksum to a value in parts. Yield after each piece of work."""
    parts.append(VERSION.to_bytes(2, "little"))
    checksum = Checksum()
    for part in parts:
        yield from checksum.add_in_slices(part)
    parts.append(checksum.value.to_bytes(8, "little"))


def seal(parts: Sequence[bytes]) -> bytes:
    """Return a value in parts with version and checksum."""
    sealed = list(parts)
    for _ in seal_in_slices(sealed):
        pass
    return b"".join(sealed)


def check_in_slices(payload: bytes) -> Iterator[None]:
    """Check version and checksum. Yield after each piece of work. Raises RdbError."""
    if len(payload) < FOOTER_BYTES:
        raise RdbError("the payload is too short")
    version = int.from_bytes(payload[-10:-8], "little")
    if version > VERSION_MAX:
        raise RdbError("the version of the payload is too new")
    promised = int.from_bytes(payload[-8:], "little")
    checksum = Checksum()
    yield from checksum.add_in_slices(memoryview(payload)[:-8])
    if checksum.value != promised:
        raise RdbError("the checksum is wrong")


class Checksum:
    """The checksum of data that come in parts."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add_in_slices(self, data: bytes | memoryview) -> Iterator[None]:
        """Add data. Yield between pieces of them."""
        for start in range(0, len(data), PIECE_BYTES):
            if start:
                yield
            self.value = crc64(data[start : start + PIECE_BYTES], self.value)
