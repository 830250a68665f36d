"""Parsing of JSONPath."""

from __future__ import annotations

import pytest

from crdt.types.json_path.parser import PATH_CHARS_MAX, PathError, parse_path
from crdt.types.json_path.selectors import (
    AllExpression,
    AnyExpression,
    ComparisonTest,
    DescentSelector,
    ExistsTest,
    FilterSelector,
    IndexSelector,
    LiteralTerm,
    NameSelector,
    NotExpression,
    PathTerm,
    Selector,
    SliceSelector,
    WildcardSelector,
)


@pytest.mark.parametrize(
    ("text", "selectors"),
    [
        ("$", ()),
        ("$.a.b-c", (NameSelector(("a",)), NameSelector(("b-c",)))),
        ("$['a b'][\"c\",'d']", (NameSelector(("a b",)), NameSelector(("c", "d")))),
        ("$.['a']", (NameSelector(("a",)),)),
        ('$["a\\"b\\\\"]', (NameSelector(('a"b\\',)),)),
        ("$[0][-1,2]", (IndexSelector((0,)), IndexSelector((-1, 2)))),
        ("$[1:3]", (SliceSelector(1, 3, 1),)),
        ("$[:-1:2]", (SliceSelector(None, -1, 2),)),
        ("$[::]", (SliceSelector(None, None, 1),)),
        ("$.*[*]", (WildcardSelector(), WildcardSelector())),
        ("$..a", (DescentSelector(), NameSelector(("a",)))),
        ("$..*", (DescentSelector(), WildcardSelector())),
        ("$..[0]", (DescentSelector(), IndexSelector((0,)))),
        ("$. a [ 0 ]", (NameSelector(("a",)), IndexSelector((0,)))),
    ],
)
def test_paths_have_selectors(text: str, selectors: tuple[Selector, ...]) -> None:
    path = parse_path(text)
    assert path.selectors == selectors
    assert not path.is_legacy
    assert path.text == path.original == text


@pytest.mark.parametrize(
    ("text", "full"),
    [(".", "$"), (".a", "$.a"), ("a.b", "$.a.b"), ("[0]", "$.[0]"), ("$a", "$.$a"), ("*", "$.*")],
)
def test_paths_of_first_version_get_a_dollar(text: str, full: str) -> None:
    path = parse_path(text)
    assert (path.text, path.original, path.is_legacy) == (full, text, True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "$.",
            "$[",
            "$[]",
            "$[a]",
            "$['a",
            "$[0",
            "$[1.5]",
            "$...a",
            "$.a b",
            "$[?]",
            "$[?()]",
        ),
        *(
            "$[?(@.a >)]",
            "$[?(@.a]",
            "$[01]",
            "$[0,]",
            "$['a',]",
            "$[::0]",
            "$[?(@ == 'a)]",
            "$.a!",
        ),
        *("$[?" + "(" * 100 + "@" + ")" * 100 + "]", "$." + "a" * PATH_CHARS_MAX),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse_path(text)


def test_error_shows_the_position() -> None:
    with pytest.raises(PathError, match=r"on position 3, .*---->>>>"):
        parse_path("$.a!")


def filter_of(text: str) -> object:
    (selector,) = parse_path(f"$[?{text}]").selectors
    assert isinstance(selector, FilterSelector)
    return selector.expression


def test_and_binds_closer_than_or() -> None:
    expression = filter_of("(@.a || !@.b && $.c == 'x')")
    assert isinstance(expression, AnyExpression)
    first, second = expression.parts
    assert isinstance(first, ExistsTest)
    assert isinstance(second, AllExpression)
    negated, compared = second.parts
    assert isinstance(negated, NotExpression)
    assert isinstance(compared, ComparisonTest)
    assert isinstance(compared.left, PathTerm)
    assert compared.left.is_root
    assert (compared.operator, compared.right) == ("==", LiteralTerm("x"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-2.5", -2.5), ('"a"', "a"), ("true", True), ("false", False), ("null", None)],
)
def test_literals_have_values(text: str, value: object) -> None:
    expression = filter_of(f"(@ <= {text})")
    assert isinstance(expression, ComparisonTest)
    assert expression.right == LiteralTerm(value)


def test_static_paths_name_one_place() -> None:
    for text in ("$", "$.a[0].b", "$['a']"):
        assert parse_path(text).is_static()
    for text in ("$.*", "$..a", "$['a','b']", "$[0,1]", "$[0:1]", "$[?@]"):
        assert not parse_path(text).is_static()
    assert parse_path(".").is_root()
