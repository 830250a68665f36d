"""The hash MurmurHash64A of Austin Appleby, which HyperLogLogs of Redis use.

Its author has placed it in the public domain. The result is an unsigned integer of 64 bits.

Numbers are held as two halves of 32 bits, because compiled code computes with signed integers of 64
bits. Where a sum of products does not fit into one, only its lower 32 bits are used, which are
right all the same.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

FACTOR_HIGH: Final = 0xC6A4A793
FACTOR_LOW: Final = 0x5BD1E995
HALF: Final = 0xFFFFFFFF
WORD_BYTES: Final = 8


def murmur64(text: bytes, seed: int) -> int:
    """Return the hash of a text. O(n)."""
    high, low = murmur_halves(text, seed)
    return int(high) << 32 | int(low)


def murmur_halves(text: bytes, seed: int) -> tuple[i64, i64]:
    """Return the upper and the lower half of the hash of a text, whose seed has 32 bits. O(n)."""
    size: i64 = len(text)
    high, low = times_factor(0, size & HALF)
    low ^= i64(seed)
    at: i64 = 0
    while at < size:
        length = size - at if size - at < WORD_BYTES else WORD_BYTES
        word_low, word_high = half_at(text, at, length), half_at(text, at + 4, length - 4)
        if length == WORD_BYTES:
            word_high, word_low = times_factor(word_high, word_low)
            word_high, word_low = times_factor(word_high, word_low ^ word_high >> 15)
        high, low = times_factor(high ^ word_high, low ^ word_low)
        at += WORD_BYTES
    high, low = times_factor(high, low ^ high >> 15)
    return high, low ^ high >> 15


def half_at(text: bytes, at: i64, length: i64) -> i64:
    """Return up to four of the next `length` bytes, which need not be there, as an integer."""
    if length <= 0:
        return 0
    found: i64 = text[at]
    if length > 1:
        found |= text[at + 1] << 8
    if length > 2:
        found |= text[at + 2] << 16
    if length > 3:
        found |= text[at + 3] << 24
    return found


def times_factor(high: i64, low: i64) -> tuple[i64, i64]:
    """Multiply a number by the factor of the hash, modulo 2^64."""
    product = low * FACTOR_LOW
    upper = (product >> 32) + low * FACTOR_HIGH + high * FACTOR_LOW
    return upper & HALF, product & HALF
