"""Checksums of joined bytes, compared with those of zlib."""

from __future__ import annotations

from zlib import crc32

from hypothesis import example, given
from hypothesis import strategies as st

from crdt.wire.checksum import join_checksums


@given(st.binary(), st.binary())
@example(b"", b"")
@example(b"a", bytes(100_000))
def test_checksum_of_joined_bytes(first: bytes, second: bytes) -> None:
    assert join_checksums(crc32(first), crc32(second), len(second)) == crc32(first + second)
