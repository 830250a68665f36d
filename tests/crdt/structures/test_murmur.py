"""MurmurHash64A."""

from __future__ import annotations

import pytest

from crdt.structures.murmur import murmur64


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        (b"", 0, 0),
        (b"", 1, 0xC6A4A7935BD064DC),
        (b"hello", 0, 0x1E68D17C457BF117),
        (b"hello world", 123, 0xF52AEA68A1A3E316),
    ],
)
def test_hash_is_that_of_the_reference(text: bytes, seed: int, expected: int) -> None:
    assert murmur64(text, seed) == expected


def test_every_byte_and_the_length_count() -> None:
    texts = [bytes(size) for size in range(20)]
    texts += [bytes(place) + b"\x80" + bytes(19 - place) for place in range(20)]
    assert len({murmur64(text, 7) for text in texts}) == len(texts)
