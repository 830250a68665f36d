"""Compare the replies of COMMAND with those of a real redis-server."""

from __future__ import annotations

from typing import cast

import pytest

from crdb.resp.decoder import Reply
from tests.crdb.redis_peer import Peer, decode

REQUESTS = [
    "COMMAND NOTHING",
    "COMMAND COUNT x",
    "COMMAND INFO nothing",
    "COMMAND INFO nothing|more",
    "COMMAND INFO get|more",
    "COMMAND INFO config|get|more",
    "COMMAND DOCS get|more",
    "COMMAND INFO ''",
    "COMMAND DOCS nothing",
    "COMMAND LIST FILTERBY",
    "COMMAND LIST FILTERBY PATTERN",
    "COMMAND LIST FILTERBY NOTHING x",
    "COMMAND LIST SOMETHING PATTERN x",
    "COMMAND LIST FILTERBY MODULE none",
    "COMMAND LIST FILTERBY ACLCAT nothing",
    "COMMAND LIST FILTERBY PATTERN zran?ebys*",
    "COMMAND GETKEYS GET k x",
    "COMMAND GETKEYS NOTHING k",
    "COMMAND GETKEYS PING x",
    "COMMAND GETKEYS GET k",
    "COMMAND GETKEYS MSET a 1 b 2",
    "COMMAND GETKEYS CONFIG GET x",
    "COMMAND GETKEYS ZUNION 2 a b",
    "COMMAND GETKEYS ZUNION 7 a b",
    "COMMAND GETKEYS DEL a b c",
    "COMMAND GETKEYSANDFLAGS PING x",
]


def words(request: str) -> list[bytes]:
    """Split a text into words. Two single quotes are an empty word."""
    return [b"" if word == "''" else word.encode() for word in request.split()]


def unordered(reply: Reply) -> Reply:
    """Return a list without its order."""
    return sorted(cast("list[bytes]", reply)) if isinstance(reply, list) else reply


@pytest.mark.parametrize("request_", REQUESTS)
def test_requests_are_answered_as_by_redis(peer: Peer, request_: str) -> None:
    theirs, mine = peer.server.run(words(request_)), peer.ours.run(words(request_))
    assert unordered(decode(mine)) == unordered(decode(theirs))


@pytest.mark.parametrize("protocol", [2, 3])
def test_unknown_command_has_no_details(peer: Peer, protocol: int) -> None:
    peer.protocol(protocol)
    request = [b"COMMAND", b"INFO", b"nothing", b"get|more", b"config|nothing"]
    assert peer.ours.run(request) == peer.server.run(request)


@pytest.mark.parametrize("protocol", [2, 3])
def test_details_have_form_of_redis(peer: Peer, protocol: int) -> None:
    peer.protocol(protocol)
    for name in (b"get", b"del", b"config|get"):
        [theirs] = decode(peer.server.run([b"COMMAND", b"INFO", name]))
        [mine] = decode(peer.ours.run([b"COMMAND", b"INFO", name]))
        assert mine[0:6] == theirs[0:6], name
        assert [type(part) for part in mine] == [type(part) for part in theirs]
        assert len(mine[8]) == len(theirs[8])
    peer.protocol(2)


def test_key_positions_equal_those_of_redis(peer: Peer) -> None:
    for name in (b"get", b"mset", b"lmpop", b"sunionstore"):
        [theirs] = decode(peer.server.run([b"COMMAND", b"INFO", name]))
        [mine] = decode(peer.ours.run([b"COMMAND", b"INFO", name]))
        assert mine[8] == theirs[8]


def test_documentation_has_form_of_redis(peer: Peer) -> None:
    for name in (b"get", b"config|get", b"client"):
        theirs = decode(peer.server.run([b"COMMAND", b"DOCS", name]))
        mine = decode(peer.ours.run([b"COMMAND", b"DOCS", name]))
        assert mine[0] == theirs[0] == name
        assert set(mine[1][::2]) <= set(theirs[1][::2])


@pytest.mark.parametrize(
    "request_",
    [
        "SET k v",
        "SET k GET",
        "SET k v XX get",
        "BITFIELD k",
        "BITFIELD k GET u8 0",
        "BITFIELD k GET u8 0 incrby u8 0 1",
        "BITFIELD k GET u8 0 e",
        "BITFIELD k GET u8",
        "BITFIELD k OVERFLOW sat GET u8 0",
        "BITFIELD k OVERFLOW",
        "BITFIELD_RO k GET u8 0",
        "MSET a 1 b 2",
        "DEL a b",
        "GET k",
        "LMOVE a b LEFT LEFT",
        "RENAME a b",
        "COPY a b REPLACE",
        "BITOP AND a b c",
        "SINTERSTORE a b c",
        "ZUNIONSTORE a 2 b c WEIGHTS 1 2",
        "ZUNION 2 b c",
        "BLMPOP 0 2 a b LEFT",
        "BLPOP a b 0",
        "SORT a",
        "SORT a BY w_* STORE b",
        "OBJECT ENCODING a",
        "EXISTS a b",
    ],
)
def test_flags_of_keys_equal_redis(peer: Peer, request_: str) -> None:
    request = [b"COMMAND", b"GETKEYSANDFLAGS", *words(request_)]
    assert decode(peer.ours.run(request)) == decode(peer.server.run(request))
