"""Byte strings that are packed into one."""

from __future__ import annotations

import pytest

from crdt.structures.packed_texts import count_texts, is_packed, pack_texts, unpack_texts


@pytest.mark.parametrize("texts", [(), (b"",), (b"a", b"\r\n$1\r\n"), (b"x" * 300,) * 3])
def test_packed_texts_come_back(texts: tuple[bytes, ...]) -> None:
    packed = pack_texts(texts)
    assert unpack_texts(packed) == texts
    assert count_texts(packed) == len(texts)
    assert is_packed(packed)


@pytest.mark.parametrize(
    "other",
    [b"", b"*1", b"*x\r\n", b"*1\r\n", b"*1\r\n$9\r\na\r\n", b"*0\r\nx", b"*01\r\n$1\r\na\r\n"],
)
def test_other_bytes_are_not_packed(other: bytes) -> None:
    assert not is_packed(other)
