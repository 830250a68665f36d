"""MurmurHash64A."""

from __future__ import annotations

from random import Random

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


def reference(text: bytes, seed: int) -> int:
    """Return the hash, computed with whole numbers of 64 bits."""
    mask, factor = (1 << 64) - 1, 0xC6A4A7935BD1E995
    result, end = (seed ^ len(text) * factor) & mask, len(text) - len(text) % 8
    for start in range(0, end, 8):
        word = int.from_bytes(text[start : start + 8], "little") * factor & mask
        word = (word ^ word >> 47) * factor & mask
        result = (result ^ word) * factor & mask
    if end < len(text):
        result = (result ^ int.from_bytes(text[end:], "little")) * factor & mask
    result = (result ^ result >> 47) * factor & mask
    return result ^ result >> 47


def test_halves_agree_with_whole_numbers() -> None:
    rng = Random(1)
    for size in range(80):
        text, seed = rng.randbytes(size), rng.getrandbits(32)
        assert murmur64(text, seed) == reference(text, seed)


def test_every_byte_and_the_length_count() -> None:
    texts = [bytes(size) for size in range(20)]
    texts += [bytes(place) + b"\x80" + bytes(19 - place) for place in range(20)]
    assert len({murmur64(text, 7) for text in texts}) == len(texts)
