"""The packed forms, and damage of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.rdb import packed
from crdb.rdb.errors import RdbError
from tests.crdb.rdb import packing

NUMBERS = [0, 12, 13, -1, 127, -128, 128, 32767, -32768, 1 << 22, -(1 << 23), 1 << 30, -(1 << 62)]
TEXTS = [b"", b"a", b"b" * 63, b"c" * 64, b"d" * 300, b"e" * 20_000, b"f"]
LISTPACK = bytes.fromhex("0c000000020001018161 02ff".replace(" ", ""))
"""The number 1 and the string a, as Redis writes them."""


def test_listpack_has_elements_that_redis_wrote() -> None:
    assert list(packed.listpack(LISTPACK)) == [b"1", b"a"]


def test_ziplist_has_numbers_and_texts_of_all_lengths() -> None:
    data = packing.ziplist([*NUMBERS, *TEXTS])
    assert list(packed.ziplist(data)) == [*(b"%d" % number for number in NUMBERS), *TEXTS]
    assert list(packed.ziplist(packing.ziplist([]))) == []


def test_zipmap_has_fields_and_values() -> None:
    pairs = [(b"a", b"1"), (b"b" * 300, b"c" * 300), (b"", b"")]
    for free in (0, 3):
        found = list(packed.zipmap(packing.zipmap(pairs, free)))
        assert found == [part for pair in pairs for part in pair]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_intset_has_numbers_in_order(size: int) -> None:
    assert list(packed.intset(packing.intset([5, -7, 300], size))) == [b"-7", b"5", b"300"]


FORMS: list[tuple[Callable[[bytes], Iterator[bytes]], bytes]] = [
    (packed.listpack, LISTPACK),
    (packed.ziplist, packing.ziplist([1, 1000, b"abc", b"d" * 70])),
    (packed.zipmap, packing.zipmap([(b"a", b"1"), (b"b", b"22")])),
    (packed.intset, packing.intset([1, 2], 2)),
]


@pytest.mark.parametrize(("unpack", "data"), FORMS)
def test_any_end_but_the_right_one_is_refused(
    unpack: Callable[[bytes], Iterator[bytes]], data: bytes
) -> None:
    for stop in range(len(data)):
        with pytest.raises(RdbError):
            list(unpack(data[:stop]))
    with pytest.raises(RdbError):
        list(unpack(data + b"\xff"))


@pytest.mark.parametrize(("unpack", "data"), FORMS)
@given(st.data())
def test_changed_bytes_raise_nothing_else(
    unpack: Callable[[bytes], Iterator[bytes]], data: bytes, draw: st.DataObject
) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(RdbError):
        assert all(isinstance(each, bytes) for each in unpack(bytes(damaged)))


@pytest.mark.parametrize(
    ("unpack", "data"),
    [
        (packed.intset, packing.intset([1], 2).replace(b"\x02\0\0\0", b"\x03\0\0\0", 1)),
        (packed.intset, packing.intset([5, 6], 2)[:8] + b"\x06\0\x05\0"),
        (packed.zipmap, b"\x01\x01a\xff"),
        (packed.zipmap, b"\x01\xff\x01a\xff"),
        (packed.listpack, b"\x09\0\0\0\x01\0\xf9\x01\xff"),
        (packed.ziplist, packing.ziplist([1]).replace(b"\xf2", b"\xf0")),
    ],
)
def test_unknown_forms_are_refused(unpack: Callable[[bytes], Iterator[bytes]], data: bytes) -> None:
    with pytest.raises(RdbError):
        list(unpack(data))
