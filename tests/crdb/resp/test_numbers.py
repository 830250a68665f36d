"""Numbers as Redis reads and writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.resp.numbers import format_double, parse_integer


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_integers_come_back(value: int) -> None:
    assert parse_integer(b"%d" % value) == value


@pytest.mark.parametrize(
    "text",
    [b"", b"-", b"+1", b"01", b"-0", b"-01", b" 1", b"1 ", b"1_0", b"0x1", b"1.0", b"9" * 19],
)
def test_other_spellings_are_not_integers(text: bytes) -> None:
    assert parse_integer(text) is None


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, 10**21])
def test_integers_beyond_64_bits_are_none(value: int) -> None:
    assert parse_integer(b"%d" % value) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0"),
        (-0.0, b"-0"),
        (3.0, b"3"),
        (-17.0, b"-17"),
        (3.1, b"3.1"),
        (0.1 + 0.2, b"0.30000000000000004"),
        (1.5e-5, b"0.000015"),
        (0.001, b"0.001"),
        (1e-7, b"1e-7"),
        (-1.25e-9, b"-1.25e-9"),
        (1e16, b"10000000000000000"),
        (2.0**62, b"4611686018427387904"),
        (-(2.0**63), b"-9223372036854776000"),
        (1e20, b"1e+20"),
        (12345678901234567000.0, b"12345678901234567000"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (5e-324, b"5e-324"),
        (123456.789, b"123456.789"),
        (4503599627370495.0, b"4503599627370495"),
        (math.inf, b"inf"),
        (-math.inf, b"-inf"),
        (math.nan, b"nan"),
    ],
)
def test_doubles_are_written_as_7_2_writes_them(value: float, text: bytes) -> None:
    assert format_double(value) == text


@given(st.floats(allow_nan=False))
def test_doubles_come_back(value: float) -> None:
    assert float(format_double(value)) == value
