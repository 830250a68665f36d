"""The checksum."""

from __future__ import annotations

from crdb.rdb.crc64 import crc64


def test_sum_is_that_of_redis() -> None:
    """The value for the digits is stated in the source of Redis."""
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA
    assert crc64(b"") == 0


def test_parts_give_sum_of_whole() -> None:
    data = bytes(range(256)) * 3
    assert crc64(data[100:], crc64(data[:100])) == crc64(memoryview(data))
