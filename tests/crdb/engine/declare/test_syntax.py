"""The notation of arguments, and the number of words that they take."""

from __future__ import annotations

import pytest

from crdb.engine.declare.syntax import Argument, format_arguments, parse_syntax


def test_word_is_argument_or_token() -> None:
    assert parse_syntax("key value increment:double GET") == (
        Argument("key", "key"),
        Argument("value", "string"),
        Argument("increment", "double"),
        Argument("get", "pure-token", "GET"),
    )
    assert parse_syntax("") == ()


def test_token_announces_argument_in_brackets() -> None:
    assert parse_syntax("[COUNT count]") == (
        Argument("count", "integer", "COUNT", is_optional=True),
    )
    (limit,) = parse_syntax("[LIMIT offset count]")
    assert (limit.kind, limit.token, limit.is_optional) == ("block", "LIMIT", True)
    assert [part.name for part in limit.parts] == ["offset", "count"]
    (pair,) = parse_syntax("<NO ONE>")
    assert (pair.kind, pair.token) == ("block", "")
    (weights,) = parse_syntax("[WEIGHTS weight...]")
    assert weights == Argument("weight", "integer", "WEIGHTS", is_optional=True, is_multiple=True)


def test_alternatives() -> None:
    (choice,) = parse_syntax("[NX | XX | EX seconds]")
    assert (choice.kind, choice.is_optional) == ("oneof", True)
    assert choice.name == "nx-or-xx-or-seconds"
    assert [part.token for part in choice.parts] == ["NX", "XX", "EX"]
    (sum_,) = parse_syntax("[AGGREGATE <SUM | MIN>]")
    assert (sum_.kind, sum_.token) == ("oneof", "AGGREGATE")


def test_repetition() -> None:
    (pairs,) = parse_syntax("(key value)...")
    assert (pairs.kind, pairs.is_multiple, pairs.is_optional) == ("block", True, False)
    assert not pairs.repeats_token
    (patterns,) = parse_syntax("[GET pattern]...")
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
        ("<old | <[A a] | [B b]>...>", 1, False),
        ("<<[A a] | [B b]>... | [C c d]>", 2, False),
    ],
)
def test_number_of_words(text: str, least: int, is_fixed: bool) -> None:
    arguments = parse_syntax(text)
    assert sum(argument.min_words() for argument in arguments) == least
    assert all(argument.is_fixed() for argument in arguments) == is_fixed


@pytest.mark.parametrize(
    "text", ["[key", "key]", "[]", "[NX | ]", "(key", "<key]", "... key", ":x", "x:", "x="]
)
def test_wrong_notation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_syntax(text)


def test_names_of_brackets_and_tokens() -> None:
    (condition,) = parse_syntax("[condition: NX | XX]")
    assert (condition.name, condition.kind, condition.is_optional) == ("condition", "oneof", True)
    (pairs,) = parse_syntax("(data: key value)...")
    assert (pairs.name, pairs.kind) == ("data", "block")
    (operation,) = parse_syntax("<operation: get-block: GET offset count | BY by-pattern>")
    assert [part.name for part in operation.parts] == ["get-block", "by-pattern"]
    assert parse_syntax("CH:change 'lib-name' laddr=ip:port \"COMMAND\"") == (
        Argument("change", "pure-token", "CH"),
        Argument("lib-name", "pure-token", "lib-name"),
        Argument("laddr", "string", display="ip:port"),
        Argument("COMMAND", "string"),
    )


@pytest.mark.parametrize(
    ("syntax", "usage"),
    [
        ("key value", "key value"),
        ("key [condition: NX | XX] [GET]", "key [NX | XX] [GET]"),
        ("<where: LEFT | RIGHT> [COUNT count]", "<LEFT | RIGHT> [COUNT count]"),
        ("(data: key value)... [CH:change]", "(key value)... [CH]"),
        ("[LIMIT offset count] key...", "[LIMIT offset count] key..."),
        ("[ID client-id...] [GET pattern]...", "[ID client-id...] [GET pattern]..."),
        ("<OF a...> [OR <b | C>] [d e]...", "OF a... [OR <b | C>] [d e]..."),
        ("[laddr=ip:port]", "[ip:port]"),
        ('["COMMAND"]...', "[COMMAND]..."),
        ("<source sink:string | ALL>", "<source sink | ALL>"),
    ],
)
def test_usage_has_no_types_and_no_names_of_brackets(syntax: str, usage: str) -> None:
    assert format_arguments(parse_syntax(syntax)) == usage
