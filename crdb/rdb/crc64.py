"""The checksum of RDB files and of DUMP: CRC-64 with the polynomial of Jones, reflected.

The sum is held as two halves of 32 bits, which compiled code keeps in machine words.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

POLYNOMIAL: Final = 0x95AC9329AC4BC9B5
"""0xAD93D23594C935A9 with its bits in the reverse order."""
HALF: Final = 0xFFFFFFFF


def _table() -> list[int]:
    """Return the sums of all bytes."""
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_SUMS: Final[list[int]] = _table()
_LOW: Final[list[int]] = [each & HALF for each in _SUMS]
_HIGH: Final[list[int]] = [each >> 32 for each in _SUMS]


def crc64(data: bytes | memoryview, before: int = 0) -> int:
    """Return the checksum of `data`, or of what has the checksum `before` with `data` behind it.

    >>> hex(crc64(b"123456789"))
    '0xe9c6d914c4b8d9ca'
    """
    low: i64 = before & HALF
    high: i64 = before >> 32
    for byte in data:
        index: i64 = (low ^ byte) & 0xFF
        low = (low >> 8 | (high & 0xFF) << 24) ^ _LOW[index]
        high = high >> 8 ^ _HIGH[index]
    return int(high) << 32 | int(low)
