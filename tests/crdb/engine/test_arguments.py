"""Parsing numbers and options as strictly as Redis."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine import arguments
from crdb.engine.errors import CommandError
from crdb.resp.numbers import INT64_MAX


def refusal(read: object, *given_args: object) -> bytes:
    """Return the text with which `read` refuses."""
    assert callable(read)
    with pytest.raises(CommandError) as caught:
        read(*given_args)
    return caught.value.text


def test_integers() -> None:
    assert arguments.integer(b"-12") == -12
    assert refusal(arguments.integer, b"1.0") == b"ERR value is not an integer or out of range"
    assert refusal(arguments.integer, b"x", b"ERR Invalid client ID") == b"ERR Invalid client ID"


def test_bounds() -> None:
    assert arguments.integer_between(b"7", 0, 7) == 7
    assert refusal(arguments.integer_between, b"8", 0, 7) == b"ERR value is out of range"
    assert refusal(arguments.integer_between, b"-1", 0, 7, b"ERR no") == b"ERR no"
    assert arguments.positive(b"0") == 0
    for wrong in (b"-1", b"x"):
        assert refusal(arguments.positive, wrong) == b"ERR value is out of range, must be positive"


@given(st.floats(allow_nan=False))
def test_floats_come_back(value: float) -> None:
    assert arguments.parse_float(repr(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"+1.5", 1.5),
        (b"1.", 1.0),
        (b".5e1", 5.0),
        (b"0e99999", 0.0),
        (b"0x1p4", 16.0),
        (b"-0X.8", -0.5),
        (b"0x0p9999", 0.0),
        (b"INF", math.inf),
        (b"-infinity", -math.inf),
        (b"4.9e-324", 5e-324),
    ],
)
def test_spellings_that_c_reads(text: bytes, value: float) -> None:
    assert arguments.number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" 1",
        b"1 ",
        b"1_0",
        b"nan",
        b"NaN",
        b".",
        b"e5",
        b"1e",
        b"0x",
        b"1e999",
        b"-1e999",
        b"1e-999",
        b"0x1p-9999",
        b"0x1p9999",
        b"--1",
        b"\xb2",
    ],
)
def test_spellings_that_it_does_not(text: bytes) -> None:
    assert refusal(arguments.number, text) == b"ERR value is not a valid float"


def test_timeouts_become_deadlines() -> None:
    assert arguments.timeout(b"0", 1000) is None
    assert arguments.timeout(b"1.5", 1000) == 2500
    assert arguments.timeout(b"0.0001", 1000) == 1001
    assert arguments.timeout(b"-0", 1000) is None
    assert arguments.timeout(b"-0.0009", 1000) is None
    assert arguments.timeout(b"1e-400", 1000) == 1001, "a long double"
    assert arguments.timeout(b"-1e-400", 1000) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"x", b"ERR timeout is not a float or out of range"),
        (b"nan", b"ERR timeout is not a float or out of range"),
        (b"-1", b"ERR timeout is negative"),
        (b"-0.001", b"ERR timeout is negative"),
        (b"-inf", b"ERR timeout is negative"),
        (b"inf", b"ERR timeout is out of range"),
        (b"1e300", b"ERR timeout is out of range"),
        (b"1e400", b"ERR timeout is out of range"),
        (b"-1e400", b"ERR timeout is negative"),
        (b"1e5000", b"ERR timeout is not a float or out of range"),
        (b"%d" % ((INT64_MAX - (1 << 40)) // 1000), b"ERR timeout is out of range"),
    ],
)
def test_timeouts_that_are_refused(text: bytes, error: bytes) -> None:
    assert refusal(arguments.timeout, text, 1 << 41) == error


def test_words_in_any_case() -> None:
    assert arguments.is_word(b"withScores", b"WITHSCORES")
    assert not arguments.is_word(b"withscore", b"WITHSCORES")
    assert not arguments.is_word(b"withscorez", b"WITHSCORES")
