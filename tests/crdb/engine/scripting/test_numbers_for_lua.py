"""Numbers as C sees them. The differential tests compare the libraries with those of Redis."""

from __future__ import annotations

import math

import pytest

from crdb.engine.scripting import numbers_for_lua as numbers


@pytest.mark.parametrize(
    ("number", "bits"),
    [(0, 0), (-1, -1), (1 << 31, -(1 << 31)), (1.5, 2), (2.5, 2), (-1.5, -2), ((1 << 32) + 5, 5)],
)
def test_bits_of_a_number(number: float, bits: int) -> None:
    assert numbers.tobit(number) == bits


def test_shifts_and_rotations() -> None:
    assert numbers.lshift(1, 33) == 2
    assert numbers.rshift(-1, 28) == 15
    assert numbers.arshift(-256, 4) == -16
    assert numbers.rol(0x12345678, 12) == numbers.ror(0x12345678, 20) == 0x45678123
    assert numbers.rol(1, 0) == numbers.ror(1, 0) == 1
    assert numbers.bswap(0x01020304) == 0x04030201
    assert (numbers.band(7, 3), numbers.bor(1, 6), numbers.bxor(1, 3), numbers.bnot(0)) == (
        *(3, 7, 2),
        -1,
    )


def test_hexadecimal_digits() -> None:
    assert numbers.tohex(255) == b"000000ff"
    assert numbers.tohex(255, -4) == b"00FF"
    assert numbers.tohex(-1, 20) == b"ffffffff"
    assert numbers.tohex(1, 0) == b""


@pytest.mark.parametrize("number", [math.inf, math.nan, 2.0**63, -(2.0**64)])
def test_cast_of_what_does_not_fit(number: float) -> None:
    assert numbers.to_int64(number) == -(1 << 63)


def test_floats_take_four_bytes_where_that_is_exact() -> None:
    for number, size in ((1.5, 5), (0.1, 9), (1e300, 9), (math.inf, 5), (-3e38, 9)):
        packed = numbers.pack_float(number)
        assert len(packed) == size
        assert numbers.unpack_float(packed[1:]) == number
    assert len(numbers.pack_float(math.nan)) == 9


def test_integers_of_64_bits() -> None:
    assert numbers.unpack_int64(numbers.pack_int64(-5)) == -5
    assert numbers.as_double((1 << 64) - 1) == 2.0**64
    assert numbers.as_double(3) == 3
