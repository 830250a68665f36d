"""Regular expressions that take linear time, compared with those of Python."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.types.json_path.patterns import PROGRAM_MAX, compiled, matches

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "^", "$", r"\b", "x"])


def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}", "{2,}", "*?"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: f"(?:{'|'.join(three)})"),
        st.tuples(inner, quantifiers).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


@given(st.recursive(ATOMS, extend, max_leaves=8), st.text("ab1 x", max_size=6))
def test_matches_are_those_of_python(pattern: str, text: str) -> None:
    expected = re.search(pattern.replace("$", r"\Z"), text) is not None
    assert matches(pattern, text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(?i)^RED", "red shoes", True),
        ("^red", "Red", False),
        (r"^\S+@\S+\.(com|org)$", "ann@example.org", True),
        (r"[\d\-]+", "no digits", False),
        (r"[\W]", "a b", True),
        (r"[^\s]", " \t", False),
        (r"\x41\u0042\n", "AB\n", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        (r"\Aa\z", "a", True),
        (r"a\Bb", "ab", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("ü", "über", True),
        ("", "", True),
    ],
)
def test_syntax_is_that_of_redisjson(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(", "a)", "[a", "*a", "a{2,1}", "a{x}", "(?=a)", r"\q", r"\xzz", "[b-a]", "a{99999}", "\\"],
)
def test_pattern_that_cannot_be_parsed_matches_nothing(pattern: str) -> None:
    assert compiled(pattern) is None
    assert not matches(pattern, pattern)


def test_pattern_is_bounded() -> None:
    assert compiled("a" * PROGRAM_MAX) is None
    assert compiled("((a{50}){50}){50}") is None
    assert compiled("(" * 100 + ")" * 100) is None


def test_nested_repetitions_take_linear_time() -> None:
    assert not matches("(a+)+$", "a" * 300 + "b")
