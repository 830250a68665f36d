"""Compute the CRC-32 of joined bytes from the CRC-32 of both parts.

A CRC-32 is a polynomial over GF(2), modulo the polynomial of the CRC. The checksum of two joined
byte strings is that of the first, multiplied by x to the number of bits of the second, plus that of
the second. Powers of x are found by repeated squaring.
"""

from __future__ import annotations

from typing import Final

POLYNOMIAL: Final = 0xEDB88320
"""The polynomial of CRC-32. The highest bit is the coefficient of x^0."""
ONE: Final = 1 << 31
X: Final = 1 << 30


def multiply(left: int, right: int) -> int:
    """Return the product of two polynomials."""
    product = 0
    bit = ONE
    while left:
        if left & bit:
            product ^= right
            left ^= bit
        bit >>= 1
        right = right >> 1 ^ POLYNOMIAL if right & 1 else right >> 1
    return product


def join_checksums(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of joined bytes, from the CRC-32 of both parts. The second part has `size`
    bytes. O(log size)."""
    power, square, bits = ONE, X, 8 * size
    while bits:
        if bits & 1:
            power = multiply(square, power)
        square = multiply(square, square)
        bits >>= 1
    return multiply(power, first) ^ second
