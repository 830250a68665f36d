"""Glob patterns, compared with a naive matcher."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.glob import compile_glob

SIGNS = st.text("ab*?[]^-\\", max_size=10).map(str.encode)


def one_of(pattern: bytes, byte: int) -> tuple[bool, bytes]:
    """Return whether the bracket expression that `pattern` begins with matches `byte`, and the rest
    of the pattern. The opening bracket is already taken off."""
    negated = pattern[:1] == b"^"
    pattern = pattern[1:] if negated else pattern
    found = False
    while pattern and (pattern[0] != ord("]")):
        if pattern[0] == ord("\\") and len(pattern) >= 2:
            found = found or pattern[1] == byte
            pattern = pattern[2:]
        elif len(pattern) >= 3 and pattern[1] == ord("-"):
            low, high = sorted((pattern[0], pattern[2]))
            found = found or low <= byte <= high
            pattern = pattern[3:]
        else:
            found = found or pattern[0] == byte
            pattern = pattern[1:]
    return found != negated, pattern[1:]


def matches(pattern: bytes, text: bytes) -> bool:
    """Return whether `text` matches. It is not empty unless the pattern has begun."""
    if not pattern:
        return not text
    if pattern[:1] == b"*":
        return any(matches(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    if not text:
        return False
    if pattern[:1] == b"?":
        return matches(pattern[1:], text[1:])
    if pattern[:1] == b"[":
        found, rest = one_of(pattern[1:], text[0])
        return found and matches(rest, text[1:])
    if pattern[:1] == b"\\" and len(pattern) >= 2:
        pattern = pattern[1:]
    return pattern[0] == text[0] and matches(pattern[1:], text[1:])


@given(pattern=SIGNS, text=SIGNS)
def test_any_pattern(pattern: bytes, text: bytes) -> None:
    expected = matches(pattern, text) and (bool(text) or not pattern)
    assert (compile_glob(pattern).fullmatch(text) is not None) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (b"h?l*O", b"HELLO", True),
        (b"[a-c]x", b"BX", True),
        (b"[^A]", b"a", False),
        (b"\xc3", b"\xe3", False),
    ],
)
def test_case_is_ignored_if_asked_for(pattern: bytes, text: bytes, found: bool) -> None:
    assert (compile_glob(pattern, ignore_case=True).fullmatch(text) is not None) == found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (b"[\\]]", b"]", True),
        (b"[\\]]", b"\\", False),
        (b"[a\\-c]", b"-", True),
        (b"[a\\-c]", b"b", False),
        (b"[\\", b"\\", True),
    ],
)
def test_backslash_in_set_quotes_next_byte(pattern: bytes, text: bytes, found: bool) -> None:
    assert (compile_glob(pattern).fullmatch(text) is not None) == found


def test_only_empty_pattern_matches_empty_text() -> None:
    assert compile_glob(b"").fullmatch(b"")
    assert not compile_glob(b"**").fullmatch(b"")


def test_many_stars_cost_no_more_than_pattern_times_text() -> None:
    assert not compile_glob(b"a*" * 1000 + b"b").fullmatch(b"a" * 5000)
    assert compile_glob(b"*a" * 1000 + b"*").fullmatch(b"a" * 5000)
