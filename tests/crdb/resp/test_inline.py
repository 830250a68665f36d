"""Inline requests, against a second and naive reading of the rules and against a real server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.resp.inline import split_line
from tests.crdb.raw import exchange
from tests.crdb.redis_peer import Peer, request

CASES = [
    b"ECHO a",
    b"  ECHO\ta  ",
    b"ECHO 'a b'",
    b'ECHO "a b"',
    rb'ECHO "\n\r\t\b\a\x41\xzz\q\""',
    rb"ECHO 'it\'s \n'",
    b'ECHO a"b c"',
    b"ECHO ''",
    b'ECHO ""',
    b'ECHO "a"b',
    b"ECHO 'a'b",
    b'ECHO "a',
    b"ECHO 'a",
    b'ECHO "a\\',
    b'ECHO "a\\"',
    b"ECHO 'a\\'",
    b"ECHO a\x0bb",
    b"\x0bECHO\ta",
    b'ECHO "a"\x0b',
    b"",
    b"   ",
    b"'' a",
]


@pytest.mark.parametrize("line", CASES)
def test_lines_mean_what_they_mean_to_redis(peer: Peer, line: bytes) -> None:
    theirs = exchange(peer.server, line + b"\r\n")
    words = split_line(line)
    if words is None:
        assert theirs.replies == b"-ERR Protocol error: unbalanced quotes in request\r\n"
        assert theirs.closed
    elif words:
        assert theirs == exchange(peer.server, request(words))
    else:
        assert theirs.replies == b""


def test_a_line_ends_at_its_first_nul() -> None:
    assert split_line(b"PING\x00 a b") == [b"PING"]


@given(st.lists(st.binary(), min_size=1))
def test_words_that_are_quoted_come_back(words: list[bytes]) -> None:
    quoted = b" ".join(b'"%b"' % b"".join(b"\\x%02x" % byte for byte in word) for word in words)
    assert split_line(quoted) == words


@given(st.binary())
def test_any_line_is_words_or_none(line: bytes) -> None:
    words = split_line(line)
    assert words is None or all(isinstance(word, bytes) for word in words)
