"""The differential harness: differences that it must report, and those that it must ignore."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply, Status
from tests.crdb import redis_peer
from tests.crdb.redis_peer import Peer, Reader, alike, decode, request


def test_reply_is_cut_out_of_pieces_of_any_size() -> None:
    first, second = b"*3\r\n$3\r\na\r\n\r\n:-7\r\n*-1\r\n", b"%1\r\n+k\r\n,1.5\r\n"
    pieces = iter([bytes([byte]) for byte in first + second])
    reader = Reader(lambda: next(pieces))
    assert reader.next() == (first, [b"a\r\n", -7, None])
    assert reader.next()[1] == ("map", [[Status(b"k"), 1.5]])


def test_request_is_array() -> None:
    assert request([b"GET", b""]) == b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n"
    assert decode(b"-ERR no\r\n") == ErrorReply(b"ERR no")


def test_order_counts_only_where_redis_promises_one() -> None:
    assert alike([b"keys", b"*"], [b"a", b"b"], [b"b", b"a"])
    assert alike([b"HGETALL", b"h"], [b"a", b"1", b"b", b"2"], [b"b", b"2", b"a", b"1"])
    assert not alike([b"HGETALL", b"h"], [b"a", b"1", b"b", b"2"], [b"b", b"1", b"a", b"2"])
    assert not alike([b"LRANGE", b"l", b"0", b"-1"], [b"a", b"b"], [b"b", b"a"])


def test_wrong_reply_is_noticed(peer: Peer) -> None:
    peer.server.run([b"SET", b"k", b"theirs"])
    peer.ours.run([b"SET", b"k", b"ours"])
    with pytest.raises(AssertionError, match=r"redis: .*theirs"):
        peer.same("GET", "k")


def test_key_too_many_is_noticed(peer: Peer) -> None:
    peer.ours.run([b"SET", b"k", b"ours"])
    with pytest.raises(AssertionError):
        peer.same_content()


def test_no_second_begins_while_commands_are_played(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OBJECT IDLETIME was once 1 here and 0 there on a busy machine."""
    seconds = iter(range(1, 1000))
    monkeypatch.setattr(redis_peer, "wall_clock", lambda: next(seconds) * 1000)
    peer.play([("SET", "k", "v"), ("OBJECT", "IDLETIME", "k")])
    assert next(seconds) == 3, "TYPE and GET of what is left"
