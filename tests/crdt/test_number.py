"""Numbers as Redis reads, adds and writes them (rules CTR-2, CTR-3, CTR-8), against Python's own
integers, fractions and shortest floats."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import CounterOverflow, NotANumber
from crdt.number import (
    COUNTER_MAX,
    INTEGRAL_MAX,
    TEXT_MAX,
    add,
    check_range,
    check_sum,
    decimal_of,
    integer_of,
    parse_decimal,
    parse_integer,
    parse_number,
    simplest,
    text_of,
)

INFINITY = float("inf")
finite = st.floats(allow_nan=False, allow_infinity=False)
written = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=6)


def spelt(text: str) -> int | None:
    """What `parse_integer` is, the slow way: only what prints as itself, and fits."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and -(2**63) <= value < 2**63 else None


@given(st.text("0123456789-+_ .e", max_size=21) | st.integers(-(2**65), 2**65).map(str))
def test_an_integer_is_what_prints_as_itself(text: str) -> None:
    assert parse_integer(text.encode()) == spelt(text)


@pytest.mark.parametrize("text", [b"-0", b"00", b"+1", b"1\n", b" 1", b"", b"-", b"1.0", b"\xb2"])
def test_what_prints_otherwise_is_no_integer(text: bytes) -> None:
    assert parse_integer(text) is None


def test_integers_end_at_64_bits() -> None:
    assert parse_integer(b"9223372036854775807") == 2**63 - 1
    assert parse_integer(b"9223372036854775808") is None
    assert parse_integer(b"-9223372036854775808") == -(2**63)
    assert parse_integer(b"-9223372036854775809") is None


@given(finite)
def test_a_float_is_read_as_it_is_written(value: float) -> None:
    assert parse_decimal(repr(value).encode()) == Decimal(repr(value))


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" 1", b"1\t", b"1_0", b"1,5", b"x", b"nan", b"inf", b"-Infinity"),
        *(b"1e331", b"1e-331", "\u0663".encode(), b"\xff", b"0" * TEXT_MAX),
    ],
)
def test_what_is_no_finite_decimal_number_is_none(text: bytes) -> None:
    assert parse_decimal(text) is None
    assert parse_number(text) is None


def test_the_longest_text_is_still_a_number() -> None:
    assert parse_decimal(b"1." + b"0" * (TEXT_MAX - 3)) == 1


def test_a_number_is_an_integer_if_it_can_be_one() -> None:
    assert type(parse_number(b"10")) is int
    assert parse_number(b"10.0") == Decimal("10.0")
    assert type(parse_number(b"10.0")) is Decimal
    assert parse_number(b"9223372036854775808") == Decimal(2**63)


@given(written, written)
def test_fractions_add_up_as_people_wrote_them(left: Decimal, right: Decimal) -> None:
    exact = Fraction(left) + Fraction(right)
    total = add(left, right)
    assert total == (exact if type(total) is int else float(exact))
    assert type(total) is (int if exact.denominator == 1 and abs(exact) < 2**53 else float)


@given(st.integers(), st.integers())
def test_integers_add_up_exactly(left: int, right: int) -> None:
    total = add(left, right)
    assert type(total) is int
    assert total == left + right


@given(finite, finite)
def test_a_sum_does_not_depend_on_sides_and_a_negative_takes_it_back(a: float, b: float) -> None:
    assert add(a, b) == add(b, a)
    assert add(a, -a) == 0


def test_what_a_removed_part_leaves_is_what_was_added() -> None:
    """Rule CTR-3: in binary these are 0.30000000000000004 and 1.9999999999999996."""
    assert add(0.1, 0.2) == 0.3
    assert add(6.1, -4.1) == 2
    assert add(Decimal("3.0e3"), 1) == 3001


def test_infinities_stay_and_cancel_to_nothing() -> None:
    assert add(INFINITY, 1) == INFINITY
    assert add(Decimal(1), -INFINITY) == -INFINITY
    assert add(INFINITY, -INFINITY) == 0
    assert add(1.7e308, 1.7e308) == INFINITY


def test_a_small_whole_number_is_an_integer() -> None:
    assert type(simplest(Decimal(INTEGRAL_MAX - 1))) is int
    assert type(simplest(Decimal(-INTEGRAL_MAX + 1))) is int
    assert type(simplest(Decimal(INTEGRAL_MAX))) is float
    assert type(simplest(Decimal("0.5"))) is float


def test_a_float_is_the_decimal_number_that_it_prints_as() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert decimal_of(7) == 7
    assert decimal_of(Decimal("1.10")) == Decimal("1.1")


@given(finite)
def test_a_printed_float_reads_as_itself(value: float) -> None:
    text = text_of(value)
    assert float(text) == value
    assert b"e" not in text.lower()
    assert b"." not in text or not text.endswith((b"0", b"."))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, b"0"),
        (-(2**70), b"-1180591620717411303424"),
        (-0.0, b"0"),
        (Decimal("-0.00"), b"0"),
        (3.0, b"3"),
        (1e22, b"10000000000000000000000"),
        (1e-7, b"0.0000001"),
        (Decimal("10.50"), b"10.5"),
        (Decimal("0.12345678901234567890"), b"0.12345678901234568"),
        (Decimal(100), b"100"),
        (INFINITY, b"inf"),
        (-INFINITY, b"-inf"),
    ],
)
def test_numbers_print_as_redis_prints_them(number: int | float | Decimal, text: bytes) -> None:
    assert text_of(number) == text


def test_a_counter_holds_59_bits() -> None:
    """Rule CTR-2, D-05."""
    for value in (COUNTER_MAX, -COUNTER_MAX, 0):
        assert check_range(value) == value
        with pytest.raises(CounterOverflow):
            check_range(value + (COUNTER_MAX + 1 if value >= 0 else -1))


def test_a_sum_that_travels_fits_64_bits() -> None:
    for total in (2**63 - 1, -(2**63), 1e300):
        check_sum(total)
    for total in (2**63, -(2**63) - 1):
        with pytest.raises(CounterOverflow):
            check_sum(total)


def test_only_an_integer_is_one() -> None:
    """Rule CTR-8."""
    assert integer_of(-3) == -3
    for number in (None, Decimal(3)):
        with pytest.raises(NotANumber, match="value is not an integer or out of range"):
            integer_of(number)
