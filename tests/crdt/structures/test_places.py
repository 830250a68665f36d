"""Places of keys, and cursors of scans."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from crdt.structures.places import (
    CURSOR_END,
    CURSOR_MARK,
    HASH_PLACES,
    PLACES,
    cursor_of,
    is_later_page,
    place_of,
    place_of_hash,
    places_in,
)


def test_places_are_spread_evenly() -> None:
    for place, places in ((place_of, PLACES), (place_of_hash, HASH_PLACES)):
        tenths = Counter(place(b"user:%d" % n) * 10 // places for n in range(10_000))
        assert min(tenths.values()) > 800
        assert max(tenths.values()) < 1200


@given(st.binary())
def test_place_is_upper_bits_of_product(key: bytes) -> None:
    assert place_of(key) == (crc32(key) * 0x9E3779B1 & 0xFFFFFFFF) >> 8


@given(st.binary())
def test_place_of_hash_is_within_range(key: bytes) -> None:
    assert place_of_hash(key) == (hash(key) >> 16) % HASH_PLACES


@given(st.integers(0, PLACES - 1), st.integers(0, HASH_PLACES - 1))
def test_cursor_holds_both_places(place: int, hash_place: int) -> None:
    cursor = cursor_of(place, hash_place)
    assert places_in(cursor) == (place, hash_place)
    assert is_later_page(cursor)
    assert cursor < CURSOR_END == 1 << 53


def test_foreign_cursors_begin_or_end_scan() -> None:
    for cursor in (0, 1, CURSOR_MARK - 1):
        assert places_in(cursor) == (0, 0)
        assert not is_later_page(cursor)
    for cursor in (CURSOR_END, (1 << 64) - 1):
        assert places_in(cursor) == (PLACES, 0)
        assert not is_later_page(cursor)
