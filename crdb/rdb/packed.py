"""The packed forms of small collections: listpack, ziplist, intset and zipmap.

Each function yields the elements as byte strings, integers in decimal. Everything is checked while
it is read: the length in the header, the end mark, and that no element reaches beyond the data.
Raises RdbError. Sources: the documentation of the formats at the head of `listpack.c`, `ziplist.c`,
`intset.c` and `zipmap.c` of Redis.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from crdb.rdb.errors import RdbError

END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFFFF
TOO_SHORT: Final = "packed data are cut off"
LISTPACK_INTEGERS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
ZIPLIST_INTEGERS: Final = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
"""The bytes of integers, by their encoding."""


def _part(data: bytes, start: int, stop: int) -> bytes:
    """Return a part of the data without their end mark."""
    if stop >= len(data):
        raise RdbError(TOO_SHORT)
    return data[start:stop]


def _integer(data: bytes, start: int, size: int) -> bytes:
    """Return a little-endian integer in decimal."""
    part = _part(data, start, start + size)
    return b"%d" % int.from_bytes(part, "little", signed=True)


def _check_frame(data: bytes, header: int) -> None:
    """Check the length in the header, and the end mark."""
    if len(data) <= header or data[-1] != END:
        raise RdbError(TOO_SHORT)
    if int.from_bytes(data[:4], "little") != len(data):
        raise RdbError("packed data have another length than they promise")


def _check_count(promised: int, count: int) -> None:
    """Check the number of elements in the header."""
    if promised not in (count, UNKNOWN_COUNT):
        raise RdbError("packed data have another number of elements than they promise")


def listpack(data: bytes) -> Iterator[bytes]:
    """Yield the elements of a listpack."""
    _check_frame(data, 6)
    at, count = 6, 0
    while at < len(data) - 1:
        element, stop = _listpack_element(data, at)
        size = stop - at
        backwards = _part(data, stop, stop + _backlen_bytes(size))
        if backwards != _backlen(size):
            raise RdbError("a length behind an element is wrong")
        yield element
        at = stop + len(backwards)
        count += 1
    _check_count(int.from_bytes(data[4:6], "little"), count)


def _listpack_element(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the element at a position, and where it ends."""
    first = data[at]
    if first < 0x80:
        return b"%d" % first, at + 1
    if first < 0xC0:
        stop = at + 1 + (first & 0x3F)
        return _part(data, at + 1, stop), stop
    if first < 0xE0:
        word = (first & 0x1F) << 8 | _part(data, at + 1, at + 2)[0]
        return b"%d" % (word - 0x2000 if word >= 0x1000 else word), at + 2
    if first < 0xF0:
        start = at + 2
        stop = start + ((first & 0x0F) << 8 | _part(data, at + 1, start)[0])
        return _part(data, start, stop), stop
    if first == 0xF0:
        start = at + 5
        stop = start + int.from_bytes(_part(data, at + 1, start), "little")
        return _part(data, start, stop), stop
    size = LISTPACK_INTEGERS.get(first)
    if size is None:
        raise RdbError("a listpack has an unknown encoding")
    return _integer(data, at + 1, size), at + 1 + size


def _backlen_bytes(size: int) -> int:
    """Return the bytes of the length that follows an element of `size` bytes."""
    return 1 if size <= 127 else max(2, -(-size.bit_length() // 7))


def _backlen(size: int) -> bytes:
    """Return the length that follows an element: 7 bits a byte, the highest ones first."""
    count = _backlen_bytes(size)
    parts = [size >> 7 * index & 0x7F for index in reversed(range(count))]
    return bytes([parts[0], *(part | 0x80 for part in parts[1:])])


def ziplist(data: bytes) -> Iterator[bytes]:
    """Yield the elements of a ziplist."""
    _check_frame(data, 10)
    at, before, count = 10, 0, 0
    while at < len(data) - 1:
        start = at + 1 if data[at] < 0xFE else at + 5
        given = (
            data[at] if start == at + 1 else int.from_bytes(_part(data, at + 1, start), "little")
        )
        if given != before:
            raise RdbError("a length before an element is wrong")
        element, stop = _ziplist_element(data, start)
        yield element
        before, at = stop - at, stop
        count += 1
    last = int.from_bytes(data[4:8], "little")
    if last != (len(data) - 1 - before if count else 10):
        raise RdbError("the place of the last element is wrong")
    _check_count(int.from_bytes(data[8:10], "little"), count)


def _ziplist_element(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the element whose encoding is at a position, and where it ends."""
    if at >= len(data) - 1:
        raise RdbError(TOO_SHORT)
    first = data[at]
    if first < 0xC0:
        if first < 0x40:
            start, size = at + 1, first & 0x3F
        elif first < 0x80:
            start = at + 2
            size = (first & 0x3F) << 8 | _part(data, at + 1, start)[0]
        else:
            start = at + 5
            size = int.from_bytes(_part(data, at + 1, start), "big")
        return _part(data, start, start + size), start + size
    size = ZIPLIST_INTEGERS.get(first, 0)
    if size:
        return _integer(data, at + 1, size), at + 1 + size
    if not 0xF1 <= first <= 0xFD:
        raise RdbError("a ziplist has an unknown encoding")
    return b"%d" % (first - 0xF1), at + 1


def intset(data: bytes) -> Iterator[bytes]:
    """Yield the members of an intset, which are in ascending order."""
    if len(data) < 8:
        raise RdbError(TOO_SHORT)
    size, count = struct.unpack_from("<II", data)
    if size not in (2, 4, 8) or len(data) != 8 + size * count:
        raise RdbError("an intset has another length than it promises")
    before: int | None = None
    for at in range(8, len(data), size):
        number = int.from_bytes(data[at : at + size], "little", signed=True)
        if before is not None and number <= before:
            raise RdbError("an intset is not in order")
        before = number
        yield b"%d" % number


def zipmap(data: bytes) -> Iterator[bytes]:
    """Yield fields and values in turn of a zipmap, the form of hashes before Redis 2.6."""
    if len(data) < 2 or data[-1] != END:
        raise RdbError(TOO_SHORT)
    at, is_value = 1, False
    while at < len(data) - 1:
        size = data[at]
        at += 1
        if size >= 0xFE:
            if size == END:
                raise RdbError("a zipmap ends early")
            size = int.from_bytes(_part(data, at, at + 4), "little")
            at += 4
        free = 0
        if is_value:
            free = _part(data, at, at + 1)[0]
            at += 1
        yield _part(data, at, at + size)
        at += size + free
        is_value = not is_value
    if is_value or at != len(data) - 1:
        raise RdbError(TOO_SHORT)
