"""Numbers as Redis reads, adds and writes them (rules CTR-2, CTR-3, CTR-8), against Python's own
integers, fractions and shortest floats."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers.long_double import SIZE_MAX
from crdt.numbers.number import (
    COUNTER_MAX,
    FRACTION_BYTES_MAX,
    INTEGRAL_MAX,
    Number,
    add,
    check_range,
    check_sum,
    decimal_of,
    exact,
    increased,
    integer_of,
    is_fraction,
    parse_integer,
    parse_number,
    portable,
    simplest,
    subtract,
    text_of,
)

INFINITY = float("inf")
finite = st.floats(allow_nan=False, allow_infinity=False)


def spelt(text: str) -> int | None:
    """Return the result of `parse_integer`, computed naively: text that prints as itself and
    fits."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and -(2**63) <= value < 2**63 else None


@given(st.text("0123456789-+_ .e", max_size=21) | st.integers(-(2**65), 2**65).map(str))
def test_integer_is_what_prints_as_itself(text: str) -> None:
    assert parse_integer(text.encode()) == spelt(text)


@pytest.mark.parametrize("text", [b"-0", b"00", b"+1", b"1\n", b" 1", b"", b"-", b"1.0", b"\xb2"])
def test_non_canonical_text_is_not_integer(text: bytes) -> None:
    assert parse_integer(text) is None


def test_integers_end_at_64_bits() -> None:
    assert parse_integer(b"9223372036854775807") == 2**63 - 1
    assert parse_integer(b"9223372036854775808") is None
    assert parse_integer(b"-9223372036854775808") == -(2**63)
    assert parse_integer(b"-9223372036854775809") is None


@pytest.mark.parametrize("text", [b"", b" 1", b"1_0", b"x", b"nan", b"inf", b"1e4933", b"1e-5000"])
def test_text_that_spells_no_finite_number_is_none(text: bytes) -> None:
    assert parse_number(text) is None


def test_number_is_integer_if_it_can_be_one() -> None:
    for text in (b"10", b"10.0", b"1e1", b"0xa", b"+10"):
        assert parse_number(text) == 10
        assert type(parse_number(text)) is int
    assert parse_number(b"9223372036854775808") == b"9223372036854775808"
    assert parse_number(b"-0") == 0
    assert parse_number(b"9007199254740993") == 9007199254740993
    assert parse_number(b"0.10") == b"0.1"


texts = st.one_of(
    st.integers(-(2**64), 2**64).map(lambda n: exact(Decimal(n))),
    st.decimals(-(10**20), 10**20, allow_nan=False, places=17).map(exact),
)


@given(texts, texts, texts)
def test_decimal_texts_add_up_exactly_in_any_order(a: Number, b: Number, c: Number) -> None:
    total = add(add(a, b), c)
    assert total == add(a, add(c, b))
    assert Fraction(decimal_of(total)) == sum(Fraction(decimal_of(each)) for each in (a, b, c))
    assert subtract(subtract(total, c), b) == a
    assert type(portable(total)) is int or is_fraction(portable(total))


@given(texts)
def test_decimal_text_is_in_its_shortest_form(number: Number) -> None:
    assert type(number) is int or is_fraction(number)
    assert is_fraction(text_of(number)) or type(parse_number(text_of(number))) is int


def test_invalid_decimal_texts_are_refused() -> None:
    for text in (b"", b"1", b"-0", b"0.0", b"1.50", b"01.5", b"+1.5", b".5", b"1e5"):
        assert not is_fraction(text)
    for text in (b"0.123456789012345678", b"9223372036854775807", b"1" * (FRACTION_BYTES_MAX + 1)):
        assert not is_fraction(text)
    for item in (1, 0.5, "0.5", None):
        assert not is_fraction(item)


def test_decimal_texts_and_scores_mix() -> None:
    """No type writes such a sum, but a hostile peer might."""
    assert add(b"0.5", 0.25) == 0.75
    assert add(b"0.5", INFINITY) == INFINITY
    assert subtract(0.5, b"0.5") == 0
    assert subtract(b"0.5", b"-0.5") == 1


def test_fractions_increase_as_in_redis() -> None:
    half = (1, -1)
    assert increased(b"9007199254740993", half) == b"9007199254740993.5"
    assert increased(b"text", half) is None
    for text, delta in ((b"inf", half), (b"1", (1, SIZE_MAX)), (b"1e4932", (1, SIZE_MAX - 1))):
        with pytest.raises(NotANumber, match="NaN or Infinity"):
            increased(text, delta)


@given(st.integers(), st.integers())
def test_integers_add_up_exactly(left: int, right: int) -> None:
    total = add(left, right)
    assert type(total) is int
    assert total == left + right


@given(finite, finite)
def test_sum_is_commutative_and_reversible(a: float, b: float) -> None:
    assert add(a, b) == add(b, a)
    assert add(a, -a) == 0


def test_sum_after_removal_is_of_remaining_values() -> None:
    """Rule CTR-3: in binary these would be 0.30000000000000004 and 1.9999999999999996."""
    assert add(0.1, 0.2) == 0.3
    assert add(6.1, -4.1) == 2
    assert subtract(6.1, 4.1) == 2


def test_infinities_stay_and_cancel_to_nothing() -> None:
    assert add(INFINITY, 1) == INFINITY
    assert add(1, -INFINITY) == -INFINITY
    assert add(INFINITY, -INFINITY) == 0
    assert add(1.7e308, 1.7e308) == INFINITY


def test_small_whole_number_is_integer() -> None:
    assert type(simplest(Decimal(INTEGRAL_MAX - 1))) is int
    assert type(simplest(Decimal(-INTEGRAL_MAX + 1))) is int
    assert type(simplest(Decimal(INTEGRAL_MAX))) is float
    assert type(simplest(Decimal("0.5"))) is float


def test_float_is_decimal_number_that_it_prints_as() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert decimal_of(7) == 7
    assert decimal_of(b"1.1") == Decimal("1.1")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, b"0"),
        (-(2**70), b"-1180591620717411303424"),
        (-0.0, b"0"),
        (3.0, b"3"),
        (1e22, b"10000000000000000000000"),
        (1e-7, b"0.0000001"),
        (b"0.12345678901234567", b"0.12345678901234567"),
        (b"12345678.12345678901", b"12345678.1234567890096514"),
        (b"9223372036854775808", b"9223372036854775808"),
        (b"1" + b"0" * 5000, b"1" + b"0" * 5000),
        (INFINITY, b"inf"),
        (-INFINITY, b"-inf"),
    ],
)
def test_numbers_print_as_redis_prints_them(number: Number, text: bytes) -> None:
    assert text_of(number) == text


def test_counter_holds_59_bits() -> None:
    """Rule CTR-2, D-05."""
    for value in (COUNTER_MAX, -COUNTER_MAX, 0):
        assert check_range(value) == value
        with pytest.raises(CounterOverflow):
            check_range(value + (COUNTER_MAX + 1 if value >= 0 else -1))


def test_sum_that_travels_fits_64_bits() -> None:
    for total in (2**63 - 1, -(2**63), 1e300):
        check_sum(total)
        assert portable(total) == total
    for total in (2**63, -(2**63) - 1):
        with pytest.raises(CounterOverflow):
            check_sum(total)
        assert portable(total) == b"%d" % total
    with pytest.raises(CounterOverflow):
        portable(b"1" * (FRACTION_BYTES_MAX + 1))


def test_only_integer_is_one() -> None:
    """Rule CTR-8."""
    assert integer_of(-3) == -3
    with pytest.raises(NotANumber, match="value is not an integer or out of range"):
        integer_of(None)


def test_counter_beyond_range_may_move_towards_it() -> None:
    largest = (1 << 63) - 1
    assert check_range(largest - 1, largest) == largest - 1
    assert check_range(-largest, -largest - 1) == -largest
    for value in (largest, largest + 1, -largest):
        with pytest.raises(CounterOverflow):
            check_range(value, largest)
