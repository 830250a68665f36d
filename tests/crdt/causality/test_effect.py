"""Sizes of effects."""

from __future__ import annotations

from crdt.causality.effect import LARGE_BYTES, LONG_ITEMS, large_bytes, weight
from crdt.wire import codec


def test_weight_is_about_encoded_size() -> None:
    for items in ((), (b"abc",), (1, 2.5, b"x" * 300), ((1, b"y"), (2, (3, b"z")))):
        encoded = len(codec.pack_body(items))
        assert encoded - 3 <= weight(items) + 1
        assert weight(items) <= encoded + 9 * 8


def test_only_large_values_and_long_effects_count() -> None:
    assert large_bytes((1, 0, b"k", 0, b"x" * LARGE_BYTES)) == 0
    assert large_bytes((1, 0, b"k", 0, b"x" * (LARGE_BYTES + 1))) == LARGE_BYTES + 1
    long = (2, 0, b"k", *[b"m"] * LONG_ITEMS)
    assert large_bytes(long) == weight(long)
    assert large_bytes(long, 7) == 7
    assert large_bytes(long[:LONG_ITEMS]) == 0
