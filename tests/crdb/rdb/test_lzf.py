"""Decompression."""

from __future__ import annotations

import pytest

from crdb.rdb.errors import RdbError
from crdb.rdb.lzf import decompress


def test_runs_and_references_are_put_together() -> None:
    literal = bytes([3]) + b"abcd"
    assert decompress(literal, 4) == b"abcd"
    assert decompress(literal + bytes([1 << 5, 3]), 7) == b"abcdabc"
    assert decompress(literal + bytes([7 << 5, 10, 3]), 23) == (b"abcd" * 6)[:23]
    assert decompress(bytes([0]) + b"a" + bytes([2 << 5, 0]), 5) == b"aaaaa"


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"\x05ab", 6),
        (b"\x00a\x20", 4),
        (b"\x00a\xe0", 4),
        (b"\x00a\xe0\x01", 4),
        (b"\x00a\x20\x05", 4),
        (b"\x00a", 2),
        (b"\x01ab", 1),
        (b"\x00a" + b"\xe0\xff\x00" * 3, 5),
        (b"\x00a", 1 << 40),
        (b"\x20\x00", 3),
    ],
)
def test_damaged_data_are_refused(data: bytes, size: int) -> None:
    with pytest.raises(RdbError):
        decompress(data, size)
