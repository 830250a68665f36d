"""The library `struct`. The differential tests compare it with that of Redis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.scripting.structs import pack, size, unpack

FORMATS = st.text("bBhHlLTiIfdsx<>! 48c0", max_size=12).map(str.encode)
VALUES = st.one_of(st.integers(-(1 << 63), 1 << 63), st.floats(), st.binary(max_size=5), st.none())


def test_round_trip() -> None:
    _, _, packed = pack(4, b">I2s<d", 5, b"abc", 0.5)
    assert packed == b"\x00\x05abc\x00\x00\x00\x00\x00\x00\x00\xe0?"
    assert unpack(2, b">I2s<d", packed) == (None, 4, 5, b"abc", 0.5, 15)
    assert size(1, b"!4bi") == (None, 1, 8)


@given(FORMATS, st.lists(VALUES, max_size=4))
def test_every_format_packs_or_gives_an_error(fmt: bytes, values: list[object]) -> None:
    """An exception would be a bug, which a script must not see."""
    fault, *rest = pack(1 + len(values), fmt, *values)
    assert (fault is None) == bool(rest)
    if rest:
        assert unpack(2, fmt, rest[1])[0] is None or b"c" in fmt or b"x" in fmt


@given(FORMATS, st.binary(max_size=30), st.one_of(st.none(), st.integers(-5, 40)))
def test_every_text_unpacks_or_gives_an_error(fmt: bytes, data: bytes, at: int | None) -> None:
    fault, *rest = unpack(3, fmt, data, at)
    assert (fault is None) == bool(rest)


@pytest.mark.parametrize("fmt", [b"s", b"c0", b"?", b"i99", b"!3", b"i9999999999999"])
def test_format_without_size(fmt: bytes) -> None:
    assert isinstance(size(1, fmt)[0], bytes)
