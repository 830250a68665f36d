"""Plain content as serialised values, in forms that all versions of Redis since 4.0 read."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from crdb.rdb.decoder import HASH, LIST, SET, STRING, ZSET

TYPES: Final = {STRING: 0, LIST: 1, SET: 2, HASH: 4, ZSET: 5}
"""The numbers of the types that are written."""


def encode_length(size: int) -> bytes:
    """Return a length in its shortest form."""
    if size < 1 << 6:
        return bytes([size])
    if size < 1 << 14:
        return bytes([0x40 | size >> 8, size & 0xFF])
    if size < 1 << 32:
        return b"\x80" + size.to_bytes(4, "big")
    return b"\x81" + size.to_bytes(8, "big")


def encode_header(kind: bytes, count: int) -> bytes:
    """Return the beginning of a value with `count` elements, which follow as `encode_items` returns
    them. A string has one."""
    start = bytes([TYPES[kind]])
    return start if kind == STRING else start + encode_length(count)


def encode_items(items: Sequence[Any]) -> bytes:
    """Return strings and scores, one behind the other."""
    parts: list[bytes] = []
    for item in items:
        if isinstance(item, bytes):
            parts += (encode_length(len(item)), item)
        else:
            parts.append(struct.pack("<d", item))
    return b"".join(parts)
