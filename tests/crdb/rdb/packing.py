"""Packed forms that Redis no longer writes, for tests of reading them."""

from __future__ import annotations

from collections.abc import Sequence


def ziplist(elements: Sequence[bytes | int]) -> bytes:
    """Return a ziplist. Integers get the smallest encoding of 1, 2, 3, 4 or 8 bytes."""
    body = b""
    before = last = 0
    for element in elements:
        last = len(body)
        head = bytes([before]) if before < 0xFE else b"\xfe" + before.to_bytes(4, "little")
        entry = head + (integer(element) if isinstance(element, int) else text(element))
        before = len(entry)
        body += entry
    tail = 10 + last if elements else 10
    size = 10 + len(body) + 1
    return (
        size.to_bytes(4, "little")
        + tail.to_bytes(4, "little")
        + len(elements).to_bytes(2, "little")
        + body
        + b"\xff"
    )


def text(element: bytes) -> bytes:
    """Return a string of a ziplist."""
    size = len(element)
    if size < 1 << 6:
        return bytes([size]) + element
    if size < 1 << 14:
        return bytes([0x40 | size >> 8, size & 0xFF]) + element
    return b"\x80" + size.to_bytes(4, "big") + element


def integer(number: int) -> bytes:
    """Return an integer of a ziplist."""
    if 0 <= number <= 12:
        return bytes([0xF1 + number])
    for code, size in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
        if -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
            return bytes([code]) + number.to_bytes(size, "little", signed=True)
    raise ValueError(number)


def zipmap(pairs: Sequence[tuple[bytes, bytes]], free: int = 0) -> bytes:
    """Return a zipmap with `free` unused bytes behind each value."""
    body = b""
    for field, value in pairs:
        body += length(len(field)) + field + length(len(value)) + bytes([free]) + value
        body += b"\x00" * free
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def length(size: int) -> bytes:
    """Return a length of a zipmap."""
    return bytes([size]) if size < 254 else b"\xfe" + size.to_bytes(4, "little")


def intset(numbers: Sequence[int], size: int) -> bytes:
    """Return an intset whose numbers have `size` bytes."""
    body = b"".join(number.to_bytes(size, "little", signed=True) for number in sorted(numbers))
    return size.to_bytes(4, "little") + len(numbers).to_bytes(4, "little") + body
