"""Compare the replies of malformed requests with those of a real redis-server."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.crdb.raw import exchange, ours, parse
from tests.crdb.redis_peer import Peer, Server

ERRORS = [
    (b"*x\r\n", b"invalid multibulk length"),
    (b"*\r\n", b"invalid multibulk length"),
    (b"*03\r\n", b"invalid multibulk length"),
    (b"*2147483648\r\n", b"invalid multibulk length"),
    (b"*99999999999999999999\r\n", b"invalid multibulk length"),
    (b"*1\r\n:5\r\n", b"expected '$', got ':'"),
    (b"*1\r\n\r\n", b"expected '$', got ' '"),
    (b"*1\r\nPING\r\n", b"expected '$', got 'P'"),
    (b"*1\r\n$x\r\n", b"invalid bulk length"),
    (b"*1\r\n$-1\r\n", b"invalid bulk length"),
    (b"*1\r\n$01\r\n", b"invalid bulk length"),
    (b"*1\r\n$536870913\r\n", b"invalid bulk length"),
    (b"*" + b"1" * 70_000, b"too big mbulk count string"),
    (b"*1\r\n$" + b"1" * 70_000, b"too big bulk count string"),
    (b"x" * 70_000, b"too big inline request"),
    (b"'\r\n", b"unbalanced quotes in request"),
]


@pytest.mark.parametrize(("data", "text"), ERRORS, ids=[repr(data[:24]) for data, _ in ERRORS])
def test_errors_are_those_of_redis(peer: Peer, data: bytes, text: bytes) -> None:
    assert parse([b"PING\r\n", data]) == ([[b"PING"]], b"ERR Protocol error: " + text)
    mine = ours(data)
    assert mine.replies == b"-ERR Protocol error: " + text + b"\r\n"
    assert mine.closed
    theirs = exchange(peer.server, data, witness=b"")
    assert theirs.replies in (mine.replies, b"")  # a reset can swallow it
    assert theirs.closed


@pytest.mark.parametrize(
    "data",
    [b"*0\r\n", b"*-1\r\n", b"*-7\r\n", b"\r\n", b"\n", b"  \r\n", b"*0\r\n\r\n*-1\r\n"],
)
def test_empty_input_holds_no_request(peer: Peer, data: bytes) -> None:
    assert ours(data) == exchange(peer.server, data)
    assert ours(data).replies == b""


requests_alphabet = st.lists(
    st.sampled_from(
        [
            b"*1\r\n$4\r\nPING\r\n",
            b"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n",
            b"PING\r\n",
            b"*1\r\n",
            b"$4\r\n",
            b"ECHO 'a b'\r\n",
            b"*0\r\n",
            b"\r\n",
            b"*",
            b"$",
            b"1",
            b"\r",
            b"\n",
            b" ",
            b'"',
            b"'",
            b"PING",
            b"-",
            b"*-1\r\n",
            b"$0\r\n\r\n",
            b"9",
            b"ECHO \xff\x01\r\n",
        ]
    ),
    max_size=12,
).map(b"".join)


@given(data=requests_alphabet)
@example(data=b"*1\r\n\n\r\n")
def test_any_bytes_have_same_effect_as_in_redis(redis_server: Server, data: bytes) -> None:
    """Send random bytes and then a witness command. An unfinished request sometimes contains the
    witness."""
    mine, theirs = ours(data), exchange(redis_server, data)
    assert mine.replies == theirs.replies
