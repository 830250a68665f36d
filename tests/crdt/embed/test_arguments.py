"""Arguments of embedding programs: accepted, converted, and refused ones."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from crdt import NotANumber, Replica
from crdt.embed.arguments import (
    check_clock,
    deadline,
    decimal,
    decode_key,
    encode,
    encode_key,
    pairs_of,
    real,
    region_numbers,
    wall_clock,
    whole,
    why_not_callable,
)
from crdt.wire.expect import expect


@pytest.mark.parametrize(
    ("clock", "error", "text"),
    [
        (5, TypeError, "clock is a function that returns ms, not int"),
        (lambda: 1.7e9, TypeError, "a clock returns integer milliseconds"),
        (lambda: None, TypeError, "a clock returns integer milliseconds, not NoneType"),
        (lambda: "5", TypeError, "a clock returns integer milliseconds, not str"),
        (lambda: True, TypeError, "a clock returns integer milliseconds, not bool"),
        (len, TypeError, "clock is called without arguments, and missing"),
        (round, TypeError, "clock is called without arguments, and missing"),
        (lambda: 1_700_000_000, ValueError, "1700000000 looks like seconds"),
        (lambda: 1_700_000_000_000_000_000, ValueError, "no clock shows"),
    ],
    ids=[
        "no function",
        "float",
        "nothing",
        "text",
        "bool",
        "builtin with argument",
        "other builtin with argument",
        "seconds",
        "nanoseconds",
    ],
)
def test_wrong_clock_is_refused_at_once(clock: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_clock(clock)
    with pytest.raises(error, match=text):
        Replica(1, clock=clock)


@pytest.mark.parametrize("now", [0, 10**9 - 1, 10**11, 1_700_000_000_000])
def test_clock_may_begin_anywhere_but_in_seconds(now: int) -> None:
    check_clock(lambda: now)


class Name(bytes):
    """A subclass of `bytes` in an application."""


@pytest.mark.parametrize(
    ("item", "expected"), [("ä", b"\xc3\xa4"), (b"\xff", b"\xff"), ("", b""), (Name(b"x"), b"x")]
)
def test_text_and_bytes_become_plain_bytes(item: Any, expected: bytes) -> None:
    assert encode(item) == expected
    assert type(encode(item)) is bytes


@pytest.mark.parametrize("item", [5, None, 1.5, True, bytearray(b"x"), memoryview(b"x"), ["a"]])
def test_nothing_else_does(item: Any) -> None:
    with pytest.raises(TypeError, match=f"expected str or bytes, not {type(item).__name__}"):
        encode(item)


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("\ud800")


@pytest.mark.parametrize(("number", "expected"), [(5, 5), (True, 1), (-(1 << 70), -(1 << 70))])
def test_whole_numbers(number: Any, expected: int) -> None:
    assert whole(number) == expected
    assert type(whole(number)) is int


@pytest.mark.parametrize("number", [1.0, "1", None, Decimal(1), b"2"])
def test_non_integers_are_refused(number: Any) -> None:
    with pytest.raises(TypeError, match=r"expected an integer, not \w+$"):
        whole(number)
    with pytest.raises(TypeError, match=r"expected an integer, not \w+: use add\(\)$"):
        whole(number, "use add()")


@pytest.mark.parametrize(
    ("number", "expected"),
    [(5, 5.0), (True, 1.0), (float("-inf"), float("-inf")), (1 << 70, 2.0**70)],
)
def test_real_numbers(number: Any, expected: float) -> None:
    assert real(number) == expected
    assert type(real(number)) is float


@pytest.mark.parametrize("number", ["1.5", b"1", None, [1]])
def test_non_numbers_are_refused(number: Any) -> None:
    with pytest.raises(TypeError, match="number"):
        real(number)


def test_score_is_number() -> None:
    with pytest.raises(ValueError, match="NaN"):
        real(float("nan"))
    for number in (10**400, -(10**400), Decimal("1e400")):
        with pytest.raises(ValueError, match="too large for a float"):
            real(number)
    assert real(Decimal("-Infinity")) == -float("inf")


@pytest.mark.parametrize("number", [b"1", None, [1], 1j, Fraction(1, 2)])
def test_non_number_cannot_be_added(number: Any) -> None:
    with pytest.raises(TypeError, match="expected a number or its text, not "):
        decimal(number)


@pytest.mark.parametrize(
    ("number", "text"), [(0.1, "0.1"), ("0.10", "0.10"), (7, "7"), (Decimal("2.5"), "2.5")]
)
def test_decimals_are_taken_as_they_are_written(number: Any, text: str) -> None:
    assert str(decimal(number)) == text


@pytest.mark.parametrize("number", ["x", "", float("nan"), float("inf"), "1e", Decimal("NaN")])
def test_non_decimals_are_refused(number: Any) -> None:
    with pytest.raises(NotANumber):
        decimal(number)


def test_values_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(TypeError):
        decimal(None)


def test_clocks_and_deadlines_have_range() -> None:
    """Rule EXP-8."""
    assert wall_clock(-5) == -5
    assert wall_clock(1 << 53) == 1 << 53
    with pytest.raises(ValueError, match="no clock shows"):
        wall_clock((1 << 53) + 1)
    with pytest.raises(TypeError):
        wall_clock(1.7e12)
    assert deadline(None) is None
    assert deadline(0) == 0
    assert deadline(1 << 49) == 1 << 49
    for beyond in (-1, (1 << 49) + 1):
        with pytest.raises(ValueError, match="a deadline is"):
            deadline(beyond)
    with pytest.raises(TypeError):
        deadline("5")


@pytest.mark.parametrize("members", ["a", b"a", 5, None], ids=repr)
def test_members_are_collection_of_numbers(members: Any) -> None:
    with pytest.raises(TypeError, match=f"members are region numbers.*{type(members).__name__}"):
        region_numbers(members)


@pytest.mark.parametrize(
    ("members", "error", "match"),
    [
        ([1, 2, 999], ValueError, "a member is 999: use 1 to 255"),
        ([0], ValueError, "a member is 0: use 1 to 255"),
        ([1, 1], ValueError, "member 1 is given twice"),
        (["1"], TypeError, "integer"),
        ([1.0], TypeError, "integer"),
    ],
)
def test_members_are_region_numbers(members: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Replica(3, members=members)
    assert region_numbers(range(1, 4)) == {1, 2, 3}


def test_float_clock_gives_helpful_error() -> None:
    with pytest.raises(TypeError, match=r"integer milliseconds, not the float 1.5.*time_ns"):
        wall_clock(1.5)


def test_argument_error_names_expected_and_given() -> None:
    with pytest.raises(TypeError, match="expected int, not str: use 5"):
        expect("x", int, "use 5")
    with pytest.raises(TypeError, match=r"expected int, not str$"):
        expect("x", int)
    expect(5, int)


@pytest.mark.parametrize("key", ["ä", "\udcff", "plain"])
def test_keys_come_back_from_text(key: str) -> None:
    assert decode_key(encode_key(key)) == key
    assert encode_key(b"\xff") == b"\xff"


def test_pairs_are_mapping_or_pairs() -> None:
    assert pairs_of([("a", 1)], {"b": 2}) == pairs_of({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    for odd in (5, "ab", [1], None):
        with pytest.raises(
            TypeError, match=r"expected a mapping or pairs, not .*: use {'a': '1'} "
        ):
            pairs_of(odd)


@pytest.mark.parametrize("odd", [5, "ab", [1]])
def test_update_of_handle_takes_pairs(odd: Any) -> None:
    replica = Replica(1)
    for handle in (replica.hash("h"), replica.sorted_set("z")):
        with pytest.raises(TypeError, match="expected a mapping or pairs"):
            handle.update(odd)
        with pytest.raises(TypeError, match="expected a mapping or pairs"):
            handle.__ior__(odd)
        with pytest.raises(TypeError, match="expected a mapping or pairs"):
            handle | odd  # pyright: ignore[reportUnusedExpression]
    assert len(replica) == 0


def test_items_of_list_are_iterable() -> None:
    queue: Any = Replica(1).list("l")
    with pytest.raises(TypeError, match="expected a list or another iterable, not int"):
        queue.extend(5)
    with pytest.raises(TypeError, match="expected a list or another iterable, not int"):
        queue += 5
    with pytest.raises(TypeError, match="expected a list or another iterable, not int"):
        queue[:] = 5
    with pytest.raises(TypeError, match=r"not bool: encode other values first.*str or json.dumps"):
        queue.append(True)


def test_counter_adds_numbers_only() -> None:
    visits: Any = Replica(1).counter("n")
    with pytest.raises(TypeError, match="expected a number, not str"):
        visits += "5"
    with pytest.raises(NotANumber, match="'1mb' is not a number"):
        visits.add("1mb")


def test_builtin_without_signature_counts_as_callable() -> None:
    assert why_not_callable(type) == ""
    assert "missing" in why_not_callable(len)
