"""The differential harness: differences that it must report, and those that it must ignore."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply, Status
from tests.crdb import redis_peer
from tests.crdb.redis_peer import PLAYS_MAX, Peer, Reader, alike, decode, request


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


IDLE_TIME = [("SET", "k", "v"), ("OBJECT", "IDLETIME", "k")]


def let_server_reply(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, idle: list[int], clocks: list[int]
) -> None:
    """Let the server's idle times and the clocks that it shows be these, one after the other."""
    run_all, idle_times, shown = peer.server.run_all, iter(idle), iter(clocks)

    def run_with_clocks(commands: list[list[bytes]]) -> list[bytes]:
        replies = run_all(commands)
        for index, (name, *_) in enumerate(commands):
            if name == b"OBJECT":
                replies[index] = b":%d\r\n" % next(idle_times)
            elif name == b"INFO":
                replies[index] = b"$11\r\nlru_clock:%d\r\n" % next(shown)
            elif name == b"TIME":
                replies[index] = b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
        return replies

    monkeypatch.setattr(peer.server, "run_all", run_with_clocks)


def test_commands_are_played_again_if_clock_has_ticked(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OBJECT IDLETIME was once 0 here and 1 there, since the server's clock ticked between the two
    commands."""
    let_server_reply(peer, monkeypatch, [1, 0], [6, 7, 7, 7])
    peer.play(IDLE_TIME)


def test_difference_without_tick_is_reported_at_once(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_server_reply(peer, monkeypatch, [1], [7, 7])
    with pytest.raises(AssertionError, match="IDLETIME"):
        peer.play(IDLE_TIME)


def test_difference_that_stays_is_reported(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = list(range(2 * PLAYS_MAX))
    let_server_reply(peer, monkeypatch, [1] * PLAYS_MAX, clocks)
    with pytest.raises(AssertionError, match="IDLETIME"):
        peer.play(IDLE_TIME)
