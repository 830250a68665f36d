"""The notation of syntaxes, and how many words one stands for."""

from __future__ import annotations

import pytest

from crdb.commands.declare.syntax import Argument, parse


def test_words_are_arguments_or_themselves() -> None:
    assert parse("key value increment:double GET") == (
        Argument("key", "key"),
        Argument("value", "string"),
        Argument("increment", "double"),
        Argument("get", "pure-token", "GET"),
    )
    assert parse("") == ()


def test_a_word_announces_what_comes_after_it_in_brackets() -> None:
    assert parse("[COUNT count]") == (Argument("count", "integer", "COUNT", is_optional=True),)
    (limit,) = parse("[LIMIT offset count]")
    assert (limit.kind, limit.token, limit.is_optional) == ("block", "LIMIT", True)
    assert [part.name for part in limit.parts] == ["offset", "count"]
    (pair,) = parse("<NO ONE>")
    assert (pair.kind, pair.token) == ("block", "")
    (weights,) = parse("[WEIGHTS weight...]")
    assert weights == Argument("weight", "double", "WEIGHTS", is_optional=True, is_multiple=True)


def test_one_of_several() -> None:
    (choice,) = parse("[NX | XX | EX seconds]")
    assert (choice.kind, choice.is_optional) == ("oneof", True)
    assert choice.name == "nx-or-xx-or-seconds"
    assert [part.token for part in choice.parts] == ["NX", "XX", "EX"]
    (sum_,) = parse("[AGGREGATE <SUM | MIN>]")
    assert (sum_.kind, sum_.token) == ("oneof", "AGGREGATE")


def test_what_comes_again() -> None:
    (pairs,) = parse("(key value)...")
    assert (pairs.kind, pairs.is_multiple, pairs.is_optional) == ("block", True, False)
    assert not pairs.repeats_token
    (patterns,) = parse("[GET pattern]...")
    assert patterns.repeats_token, "each with its word"


@pytest.mark.parametrize(
    ("text", "least", "is_fixed"),
    [
        ("key value", 2, True),
        ("key [count]", 1, False),
        ("key...", 1, False),
        ("(key value)...", 2, False),
        ("[key]...", 0, False),
        ("<LEFT | RIGHT> timeout", 2, True),
        ("<ALL | source sink>", 1, False),
        ("<host port | NO ONE>", 2, True),
        ("<BY a | BY b>", 2, True),
        ("<LIMIT offset count>", 3, True),
        ("<a [b] | c d>", 1, False),
    ],
)
def test_how_many_words_it_takes(text: str, least: int, is_fixed: bool) -> None:
    arguments = parse(text)
    assert sum(argument.least() for argument in arguments) == least
    assert all(argument.is_fixed() for argument in arguments) == is_fixed


@pytest.mark.parametrize(
    "text", ["[key", "key]", "[]", "[NX | ]", "(key", "<key]", "... key", ":x"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
