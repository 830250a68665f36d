"""Expected replies: their syntax and their comparison."""

from __future__ import annotations

from typing import Any

import pytest

from sim.nodes.client import Refusal
from sim.scenarios.expectation import (
    Expectation,
    is_as_expected,
    parse_expectation,
    plain_reply,
)
from sim.scenarios.language import ScenarioMistake


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"any"', Expectation("exact", "any")),
        ("any [1, null]", Expectation("any", [1, None])),
        ('unordered ["a", "b"]', Expectation("unordered", ["a", "b"])),
        ('error "^ERR"', Expectation("error", "^ERR")),
        ("ids unordered []", Expectation("unordered", [], "ids")),
    ],
)
def test_expectation_is_word_and_json(text: str, wanted: Expectation) -> None:
    assert parse_expectation(text) == wanted


def test_expectation_that_is_not_json_is_refused() -> None:
    with pytest.raises(ScenarioMistake, match="'b' is not JSON: write a text as \"text\""):
        parse_expectation("b")


@pytest.mark.parametrize(
    ("reply", "wanted", "other"),
    [
        ("OK", Expectation("exact", "OK"), "KO"),
        (1, Expectation("exact", 1), 0),
        (None, Expectation("exact", None), []),
        (["f", "v", "g", "w"], Expectation("exact", {"g": "w", "f": "v"}), ["f", "w", "g", "v"]),
        ([], Expectation("exact", {}), ["f"]),
        (["f", "v"], Expectation("exact", {"f": "v"}), "f"),
        (["a", ["b"]], Expectation("exact", ["a", ["b"]]), ["a", "b"]),
        (["b", "a", "a"], Expectation("unordered", ["a", "b", "a"]), ["a", "b", "b"]),
        (["b", "a"], Expectation("unordered", ["a", "b"]), "ab"),
        ('{"a": [1]}', Expectation("json", {"a": [1]}), '{"a": 1}'),
        (
            [["s", [["1-1", ["f", "v"]]]]],
            Expectation("exact", ["1-1"], "ids"),
            [["1-2", ["f", "v"]]],
        ),
        (
            [["1-1", ["f", "v"]], ["1-2", "ann", 3, 1]],
            Expectation("exact", ["1-1", "1-2"], "ids"),
            [],
        ),
        (None, Expectation("exact", [], "ids"), [["1-1", None]]),
        ([["name", "g", "pending", 0]], Expectation("exact", ["g"], "names"), []),
        ("3.1000000000000001", Expectation("approx", 3.1), "3.2"),
        (["m", "1"], Expectation("approx", ["m", 1.0]), ["n", "1"]),
        (["m"], Expectation("approx", ["m"]), ["m", "1"]),
        (["m"], Expectation("approx", ["m"]), "m"),
        (None, Expectation("approx", None), "0"),
        (2, Expectation("any", [1, 2]), 3),
        (40, Expectation("range", [40, 50]), 51),
        (40, Expectation("range", [40, 50]), "40"),
        ("v7.2", Expectation("match", r"v\d"), "seven"),
        ("v7.2", Expectation("match", r"v\d"), None),
        (["a", "x", "b"], Expectation("subsequences", [["a", "b"], ["x"]]), ["b", "x", "a"]),
        (["a", "x", "b"], Expectation("subsequences", [["a", "b"], ["x"]]), ["a", "b"]),
    ],
)
def test_reply_is_compared(reply: Any, wanted: Expectation, other: Any) -> None:
    assert is_as_expected(reply, wanted)
    assert not is_as_expected(other, wanted)
    assert not is_as_expected(Refusal("ERR"), wanted)


def test_error_is_compared_by_its_text() -> None:
    wanted = Expectation("error", "^WRONGTYPE")
    assert is_as_expected(Refusal("WRONGTYPE Operation"), wanted)
    assert is_as_expected(["OK", Refusal("WRONGTYPE Operation")], wanted)
    assert not is_as_expected(Refusal("ERR"), wanted)
    assert not is_as_expected("WRONGTYPE", wanted)


def test_plain_reply_is_text() -> None:
    assert plain_reply([b"a", [b"b", 1], None, "OK"]) == ["a", ["b", 1], None, "OK"]
    assert plain_reply(Refusal("ERR")) == Refusal("ERR")


@pytest.mark.parametrize("text", ['"any"', 'unordered ["a", "b"]', 'error "^ERR"', "null"])
def test_expectation_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_expectation(text)) == text
