"""Inline requests, compared with a naive parser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.resp.inline import split_line


def test_line_ends_at_its_first_nul() -> None:
    assert split_line(b"PING\x00 a b") == [b"PING"]


@given(st.lists(st.binary(), min_size=1))
def test_words_that_are_quoted_come_back(words: list[bytes]) -> None:
    quoted = b" ".join(b'"%b"' % b"".join(b"\\x%02x" % byte for byte in word) for word in words)
    assert split_line(quoted) == words


@given(st.binary())
def test_any_line_is_words_or_none(line: bytes) -> None:
    words = split_line(line)
    assert words is None or all(isinstance(word, bytes) for word in words)
