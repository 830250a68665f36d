"""The language of scenarios and runs: its words, and errors for others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.events import MS, SECOND
from sim.scenarios.language import (
    Form,
    ScenarioMistake,
    follower_of,
    format_time,
    is_number,
    parse_arrow,
    parse_bytes,
    parse_choice,
    parse_commands,
    parse_number,
    parse_time,
    region_names,
    take_words,
)
from sim.schedule.plan import Copy


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("200ms", 200 * MS),
        ("5s", 5 * SECOND),
        ("2m", 120 * SECOND),
        ("1.5s", 1500 * MS),
        ("0.000000001s", 1),
        ("0.5m", 30 * SECOND),
    ],
)
def test_times(text: str, ns: int) -> None:
    assert parse_time(text) == ns


@pytest.mark.parametrize(
    "text", ["5", "s", "-3s", "1.s", ".5s", "0.0000000001s", "5h", "²s", "1" * 13 + "s", ""]
)
def test_invalid_times_are_refused(text: str) -> None:
    with pytest.raises(ScenarioMistake, match="is no time: write 200ms, 5s or 2m"):
        parse_time(text)


@given(st.integers(0, 10**20))
def test_time_is_written_exactly(ns: int) -> None:
    assert parse_time(format_time(ns)) == ns


def test_lines_are_taken_by_their_forms() -> None:
    output: list[list[str]] = []
    forms = {"say": Form("say A [B]", list[list[str]].append, 1, 2)}
    take_words(output, "say 'a b' c  # d", forms)
    assert output == [["a b", "c"]]
    for line, why in (
        ("say 'a", "a quotation mark is not closed"),
        ("sing a", "there is no step 'sing'; there are: say"),
        ("say", "too few words: say A"),
        ("say a b c", "too many words: say A"),
    ):
        with pytest.raises(ScenarioMistake, match=why):
            take_words(output, line, forms)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda: parse_bytes("0"), "'0' is no number of bytes above 0"),
        (lambda: parse_number("x", "share", 0, 9), "'x' is no share: give 0 to 9"),
        (lambda: parse_number("10", "share", 0, 9), "'10' is no share: give 0 to 9"),
        (lambda: parse_number("--1", "share", -9, 9), "'--1' is no share: give -9 to 9"),
        (lambda: parse_choice("c", "a letter", "ab"), "a letter is one of a, b"),
        (lambda: region_names(["eu", "eu"]), 'name "eu" is that of region 1'),
        (lambda: region_names(["eu", "all"]), "'all' and '>' cannot be a region's name"),
        (lambda: follower_of(["f", "0", "eu"], ["eu"]), "'0' is no number of a region"),
        (lambda: follower_of(["eu", "9", "eu"], ["eu"]), "'eu' cannot be a follower's name"),
        (lambda: follower_of(["f", "9", "eu", "eu"], ["eu"]), "name each of those it follows once"),
        (lambda: parse_arrow(["a", ">", "a"]), "a direction is written A > B, with spaces"),
        (lambda: parse_commands(["GET", "k", ";"]), "a command is missing beside a semicolon"),
    ],
)
def test_invalid_step_is_reported(act: Callable[[], object], why: str) -> None:
    with pytest.raises(ScenarioMistake, match=why):
        act()


def test_sense_is_understood() -> None:
    assert (parse_bytes("7"), parse_number("-7", "number", -9, 9)) == (7, -7)
    assert parse_choice("a", "a letter", "ab") == "a"
    assert region_names(["eu", "us"]) == ("eu", "us")
    assert follower_of(["f", "9", "eu"], ["eu"]) == Copy("f", 9, ("eu",))
    assert parse_arrow(["a", ">", "b"]) == ("a", "b")
    assert parse_commands(["GET", "k", ";", "PING"]) == [("GET", "k"), ("PING",)]
    assert not is_number("²")
