"""Compare the replies of inline requests with those of a real redis-server."""

from __future__ import annotations

import pytest

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
def test_inline_requests_are_parsed_as_by_redis(peer: Peer, line: bytes) -> None:
    theirs = exchange(peer.server, line + b"\r\n")
    words = split_line(line)
    if words is None:
        assert theirs.replies == b"-ERR Protocol error: unbalanced quotes in request\r\n"
        assert theirs.closed
    elif words:
        assert theirs == exchange(peer.server, request(words))
    else:
        assert theirs.replies == b""
