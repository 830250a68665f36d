"""Decompression of strings that Redis has compressed with LZF (Marc Lehmann's format)."""

from __future__ import annotations

from typing import Final

from crdb.rdb.errors import RdbError

EXPANSION_MAX: Final = 264
"""The largest number of bytes that one byte of input can stand for."""


def decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that `data` stands for. Raises RdbError.

    >>> decompress(bytes([0, 97, 224, 0, 0]), 10)
    b'aaaaaaaaaa'
    """
    if size > len(data) * EXPANSION_MAX:
        raise RdbError("compressed data are too short for what they promise")
    out = bytearray()
    at, end = 0, len(data)
    try:
        while at < end:
            control = data[at]
            at += 1
            if control < 32:  # a run of literal bytes
                stop = at + control + 1
                if stop > end:
                    raise RdbError("compressed data end within a run")
                out += data[at:stop]
                at = stop
                continue
            length = control >> 5
            if length == 7:
                length += data[at]
                at += 1
            start = len(out) - ((control & 0x1F) << 8 | data[at]) - 1
            at += 1
            copy(out, start, length + 2)
            if len(out) > size:
                break
    except IndexError:
        raise RdbError("compressed data end within a reference") from None
    if len(out) != size:
        raise RdbError("compressed data have another length than they promise")
    return bytes(out)


def copy(out: bytearray, start: int, length: int) -> None:
    """Append `length` bytes of `out` from `start` on. They may overlap with what is appended."""
    if start < 0:
        raise RdbError("compressed data refer to what is not there")
    piece = out[start : start + length]
    if len(piece) < length:
        piece = (piece * (length // len(piece) + 1))[:length]
    out += piece
