"""The hash MurmurHash64A of Austin Appleby, which HyperLogLogs of Redis use.

Its author has placed it in the public domain. The result is an unsigned integer of 64 bits.
"""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFFFFFFFFFFFFFF
FACTOR: Final = 0xC6A4A7935BD1E995
SHIFT: Final = 47


def murmur64(text: bytes, seed: int) -> int:
    """Return the hash of a text. O(n)."""
    size = len(text)
    result = (seed ^ size * FACTOR) & MASK
    end = size - size % 8
    for start in range(0, end, 8):
        word = int.from_bytes(text[start : start + 8], "little") * FACTOR & MASK
        word = (word ^ word >> SHIFT) * FACTOR & MASK
        result = (result ^ word) * FACTOR & MASK
    if end < size:
        result = (result ^ int.from_bytes(text[end:], "little")) * FACTOR & MASK
    result = (result ^ result >> SHIFT) * FACTOR & MASK
    return result ^ result >> SHIFT
