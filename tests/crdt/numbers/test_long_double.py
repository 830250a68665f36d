"""Long doubles with 64 bits of mantissa, compared with fractions.

`tests/contract/differential/commands/strings/test_counters.py` compares them with a redis-server,
which adds real ones.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crdt.numbers.long_double import (
    EXPONENT_MIN,
    INFINITY,
    MINUS_INFINITY,
    SIZE_MAX,
    TEXT_MAX,
    ZERO,
    LongDouble,
    add,
    is_infinite,
    parse,
    to_text,
)

decimals = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.builds("{}.{}e{}".format, st.integers(), st.integers(0), st.integers(-60, 60)),
)
numbers = st.tuples(st.integers(-(2**64) + 1, 2**64 - 1), st.integers(EXPONENT_MIN, SIZE_MAX - 64))
near = st.tuples(st.integers(-(2**64) + 1, 2**64 - 1), st.integers(-130, 70))


def value(number: LongDouble) -> Fraction:
    return Fraction(number[0]) * Fraction(2) ** number[1]


def is_nearest(exact: Fraction, found: LongDouble) -> bool:
    """Return whether this long double is the nearest to `exact`, or the even one of two that are
    equally near."""
    mantissa, exponent = abs(found[0]), found[1]
    assert mantissa.bit_length() <= 64
    assert exponent >= EXPONENT_MIN
    while mantissa.bit_length() < 64 and exponent > EXPONENT_MIN:
        mantissa, exponent = mantissa * 2, exponent - 1
    step = Fraction(2) ** exponent
    error = abs(abs(exact) - mantissa * step)
    if mantissa == 1 << 63 and exponent > EXPONENT_MIN and abs(exact) < mantissa * step:
        step /= 2
    return error * 2 < step or (error * 2 == step and mantissa % 2 == 0)


@given(decimals)
def test_decimal_is_read_as_nearest(text: str) -> None:
    found = parse(text.encode())
    assert found is not None
    assert is_nearest(Fraction(text), found)


@given(st.integers(0, 2**80), st.integers(0, 2**40), st.integers(-200, 200))
def test_hexadecimal_is_read_as_nearest(whole: int, fraction: int, power: int) -> None:
    digits = f"{fraction:x}"
    exact = Fraction(int(f"{whole:x}{digits}", 16), 16 ** len(digits)) * Fraction(2) ** power
    for text in (f"0x{whole:x}.{digits}p{power}", f"-0X{whole:X}.{digits}P{power:+d}"):
        found = parse(text.encode())
        assert found is not None
        assert is_nearest(exact, found)
        assert (found[0] < 0) == (text[0] == "-" and exact > 0)


@given(near, near)
def test_sum_is_nearest(left: LongDouble, right: LongDouble) -> None:
    assert is_nearest(value(left) + value(right), add(left, right))
    assert add(left, right) == add(right, left)


def rounded(exact: Fraction) -> tuple[int, int]:
    """Return `exact` with a mantissa of exactly 64 bits, by Python's own rounding half to even."""
    exponent = abs(exact.numerator).bit_length() - exact.denominator.bit_length() - 64
    while abs(exact) / Fraction(2) ** exponent >= 1 << 64:
        exponent += 1
    mantissa = round(exact / Fraction(2) ** exponent)
    return (mantissa // 2, exponent + 1) if abs(mantissa) == 1 << 64 else (mantissa, exponent)


ones = st.integers(1, 64).map(lambda bits: (1 << 64) - (1 << 64 - bits))
"""Mantissas that begin with ones: adding half a unit or more carries to a power of two."""
carrying = st.tuples(ones | st.integers(2**64 - 4, 2**64 - 1), st.integers(-70, 70))
small = st.tuples(st.integers(-16, 16) | ones, st.integers(-75, 75))


@given(carrying, small)
def test_sum_that_carries_has_64_bits(left: LongDouble, right: LongDouble) -> None:
    exact = value(left) + value(right)
    assume(exact != 0)
    mantissa, exponent = add(left, right)
    assert abs(mantissa) < 1 << 64
    assert value((mantissa, exponent)) == value(rounded(exact))


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        ((2**64 - 1, 0), (1, -1), (1 << 63, 1)),  # a tie, to the even power of two
        ((2**64 - 1, 0), (3, -2), (1 << 63, 1)),
        ((2**64 - 1, 0), (1, -2), (2**64 - 1, 0)),
        ((2**64 - 1, 0), (1, 0), (1 << 63, 1)),
        ((1 - 2**64, 0), (-1, -1), (-1 << 63, 1)),
        ((2**64 - 1, SIZE_MAX - 64), (1, SIZE_MAX - 65), INFINITY),
    ],
)
def test_carry_to_power_of_two(left: LongDouble, right: LongDouble, total: LongDouble) -> None:
    assert add(left, right) == total


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"18446744073709551615.5", (1 << 63, 1)),
        (b"18446744073709551615.4", (2**64 - 1, 0)),
        (b"0xffffffffffffffff.8", (1 << 63, 1)),
        (b"0.99999999999999999999999", (1 << 63, -63)),
    ],
)
def test_text_that_carries_has_64_bits(text: bytes, number: LongDouble) -> None:
    assert parse(text) == number


@given(numbers, numbers)
def test_sum_of_any_size_is_finite_or_beyond_greatest(a: LongDouble, b: LongDouble) -> None:
    total = add(a, b)
    if is_infinite(total):
        assert abs(value(a) + value(b)) > Fraction(2) ** SIZE_MAX - Fraction(2) ** (SIZE_MAX - 64)
        assert (total[0] > 0) == (value(a) > 0)
    else:
        assert abs(value(total)) < Fraction(2) ** SIZE_MAX


@given(near)
def test_text_has_seventeen_decimals_at_most(number: LongDouble) -> None:
    text = to_text(number).decode()
    assert abs(Fraction(text) - value(number)) <= Fraction(1, 2 * 10**17)
    whole, _, fraction = text.partition(".")
    assert len(fraction) <= 17
    assert not text.endswith((".", "-0")) or whole == "-0."
    assert not fraction.endswith("0")


@given(near)
def test_printed_number_prints_as_itself(number: LongDouble) -> None:
    text = to_text(number)
    again = parse(text)
    assert again is not None
    assert to_text(again) == text


@given(numbers)
def test_no_number_is_too_large_to_be_printed_and_read(number: LongDouble) -> None:
    assume(number[0].bit_length() + number[1] <= SIZE_MAX)
    again = parse(to_text(number))
    assert again is not None
    if number[1] >= 0:
        assert value(again) == value(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"0", ZERO),
        (b"-0", ZERO),
        (b"0e99999999999999999999", ZERO),
        (b"0x0p7", ZERO),
        (b"inf", INFINITY),
        (b"+INFINITY", INFINITY),
        (b"-Inf", MINUS_INFINITY),
        (b"0x1p-16445", (1, EXPONENT_MIN)),
        (b"0x1.8p-16446", (1, EXPONENT_MIN)),
        (b"0x1p16383", (1, SIZE_MAX - 1)),
        (b"1." + b"0" * (TEXT_MAX - 3), (1, 0)),
    ],
)
def test_edges_are_read(text: bytes, number: LongDouble) -> None:
    found = parse(text)
    assert found is not None
    assert value(found) == value(number)
    assert is_infinite(found) == is_infinite(number)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" 1", b"1 ", b"1_0", b"1,5", b"x", b"nan", b"-nan", b"1e", b"1e+", b"--1", b"."),
        *(
            b"0x",
            b"0x.",
            b"0x1p",
            b"0x1p+",
            b"inf1",
            b"infinit",
            b"1\0",
            "\u0663".encode(),
            b"\xff",
        ),
        *(b"1.2e4932", b"-1e99999999999999999999", b"1e-4952", b"1e-99999999999999999999"),
        *(b"0x1p16384", b"0x1p99999999999999999999", b"0x1p-16446", b"0x1p-99999999999999999999"),
        *(b"0" * TEXT_MAX, b"9" * 5000),
    ],
)
def test_invalid_long_double_is_none(text: bytes) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"12345678.12345678901", b"12345678.1234567890096514"),
        (b"0.1", b"0.1"),
        (b"-1e-18", b"0"),
        (b"-0.5", b"-0.5"),
        (b"0x1p-18", b"0.00000381469726562"),
        (b"0x3p-18", b"0.00001144409179688"),
    ],
)
def test_known_texts(text: bytes, shown: bytes) -> None:
    number = parse(text)
    assert number is not None
    assert to_text(number) == shown


def test_fraction_of_large_number_is_rounded_away() -> None:
    assert parse(b"1000000000000000000000000000000.5") == parse(b"1e30")
