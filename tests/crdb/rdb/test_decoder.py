"""Values of all types, and damaged ones."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.rdb.decoder import READERS, RdbValue, decode, decode_in_slices
from crdb.rdb.encoder import TYPES, encode_header, encode_items, encode_length
from crdb.rdb.errors import RdbError
from crdb.rdb.source import RdbSource
from tests.crdb.rdb import packing


def string(data: bytes) -> bytes:
    """Return a serialised string."""
    return encode_length(len(data)) + data


ITEMS: dict[bytes, list[Any]] = {
    b"string": [b"text"],
    b"list": [b"a", b"a", b"b"],
    b"set": [b"a", b"b"],
    b"hash": [b"f", b"v", b"g", b"w"],
    b"zset": [b"m", 1.5, b"n", float("-inf")],
}
PACKED: list[tuple[int, bytes, list[Any]]] = [
    (3, b"\x01\x01m\x031.5", [b"m", 1.5]),
    (9, string(packing.zipmap([(b"f", b"v")])), [b"f", b"v"]),
    (10, string(packing.ziplist([b"a", 5])), [b"a", b"5"]),
    (11, string(packing.intset([3, 1], 4)), [b"1", b"3"]),
    (12, string(packing.ziplist([b"m", b"2.5"])), [b"m", 2.5]),
    (13, string(packing.ziplist([b"f", b"v"])), [b"f", b"v"]),
    (14, b"\x02" + 2 * string(packing.ziplist([b"a"])), [b"a", b"a"]),
    (
        18,
        b"\x02\x01\x03big\x02" + string(bytes.fromhex("0c00000002000101816102ff")),
        [b"big", b"1", b"a"],
    ),
    (20, string(bytes.fromhex("0c00000002000101816102ff")), [b"1", b"a"]),
    (16, string(bytes.fromhex("0c00000002000101816102ff")), [b"1", b"a"]),
    (17, string(bytes.fromhex("0c0000000200816102 0101ff".replace(" ", ""))), [b"a", 1.0]),
]


@pytest.mark.parametrize("kind", ITEMS)
def test_encoded_value_is_read_again(kind: bytes) -> None:
    count = len(ITEMS[kind]) // (2 if kind in (b"hash", b"zset") else 1)
    data = encode_header(kind, count) + encode_items(ITEMS[kind])
    assert decode(RdbSource(data)) == RdbValue(kind, ITEMS[kind])


@pytest.mark.parametrize(("code", "data", "content"), PACKED)
def test_packed_value_is_read(code: int, data: bytes, content: list[Any]) -> None:
    found = decode(RdbSource(bytes([code]) + data))
    assert (found.kind, found.content) == (READERS[code][0], content)


def test_large_value_is_read_in_slices() -> None:
    data = encode_header(b"set", 10) + encode_items([b"%d" % n for n in range(10)])
    value = RdbValue(b"", [])
    assert len(list(decode_in_slices(RdbSource(data), value, 3))) == 3 + 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06",
        b"\x7f\x01a",
        b"\x01\x00",
        b"\x02\x02\x01a\x01a",
        b"\x04\x02\x01a\x01b\x01a\x01c",
        b"\x05\x01\x01a" + b"\0\0\0\0\0\0\xf8\x7f",
        b"\x03\x01\x01a\xfd",
        b"\x12\x01\x03\x01a",
        bytes([13]) + string(packing.ziplist([b"f"])),
        bytes([12]) + string(packing.ziplist([b"f", b"x"])),
        b"\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_values_that_redis_refuses_are_refused(data: bytes) -> None:
    with pytest.raises(RdbError):
        decode(RdbSource(data))


@given(st.data())
def test_damaged_values_raise_nothing_else(draw: st.DataObject) -> None:
    kind = draw.draw(st.sampled_from(sorted(TYPES)))
    plain = encode_header(kind, 2) + encode_items(ITEMS[kind])
    values = [plain, *(bytes([code]) + data for code, data, _ in PACKED)]
    damaged = bytearray(draw.draw(st.sampled_from(values)))
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = draw.draw(st.integers(0, 255))
    with suppress(RdbError):
        assert decode(RdbSource(bytes(damaged))).content


@given(st.binary(max_size=60))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    with suppress(RdbError):
        assert decode(RdbSource(data)).content
