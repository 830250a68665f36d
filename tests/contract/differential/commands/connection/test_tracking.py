"""Compare client-side caching with that of a real redis-server, on one connection."""

from __future__ import annotations

import pytest

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Peer

CONVERSATIONS = [
    "CLIENT TRACKING",
    "CLIENT TRACKING maybe",
    "CLIENT TRACKING maybe BCAST",
    "CLIENT TRACKING ON nothing",
    "CLIENT TRACKING ON REDIRECT",
    "CLIENT TRACKING ON REDIRECT x",
    "CLIENT TRACKING ON REDIRECT 99999999",
    "CLIENT TRACKING ON PREFIX",
    "CLIENT TRACKING ON PREFIX a",
    "CLIENT TRACKING ON BCAST OPTIN",
    "CLIENT TRACKING ON OPTIN OPTOUT",
    "CLIENT TRACKING ON BCAST PREFIX a PREFIX ab",
    "CLIENT TRACKING ON BCAST PREFIX a\r\nCLIENT TRACKING ON BCAST PREFIX abc",
    "CLIENT TRACKING ON BCAST\r\nCLIENT TRACKING ON BCAST PREFIX a",
    "CLIENT TRACKING ON BCAST\r\nCLIENT TRACKING ON",
    "CLIENT TRACKING ON\r\nCLIENT TRACKING ON BCAST\r\nCLIENT GETREDIR",
    "CLIENT TRACKING ON OPTIN\r\nCLIENT TRACKING ON OPTOUT",
    "CLIENT TRACKING ON OPTOUT\r\nCLIENT TRACKING ON OPTIN",
    "CLIENT TRACKING ON\r\nCLIENT CACHING YES\r\nCLIENT CACHING NO\r\nCLIENT CACHING maybe",
    "CLIENT TRACKING ON OPTIN\r\nCLIENT CACHING NO\r\nCLIENT CACHING YES\r\nCLIENT TRACKINGINFO",
    "CLIENT TRACKING ON OPTOUT\r\nCLIENT CACHING YES\r\nCLIENT CACHING NO\r\nCLIENT TRACKINGINFO",
    "HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX b PREFIX a NOLOOP\r\nCLIENT TRACKINGINFO",
    "CLIENT TRACKING ON\r\nRESET\r\nCLIENT TRACKINGINFO",
    "CLIENT TRACKING ON\r\nGET k\r\nSET k 1\r\nGET k",
]
PUSHES = [
    "GET k\r\nSET k 1\r\nSET k 2\r\nGET k\r\nDEL k l",
    "MGET a b\r\nMSET b 1 a 1",
    "GET k\r\nMULTI\r\nSET k 1\r\nGET k\r\nEXEC\r\nSET k 2",
    "GET k\r\nFLUSHALL\r\nSET k 1",
    "GET k\r\nCLIENT REPLY SKIP\r\nSET k 1\r\nGET k",
    "LRANGE l 0 -1\r\nRPUSH l 1\r\nLLEN l\r\nLPUSHX l 2\r\nLPUSHX m 3",
    "SISMEMBER s a\r\nSADD s a\r\nSCARD s\r\nSREM s a",
    "HGET h f\r\nHSET h f 1\r\nHLEN h\r\nHDEL h f g",
    "ZSCORE z m\r\nZADD z 1 m\r\nZCARD z\r\nZINCRBY z 1 m",
    "EXISTS k\r\nRENAME k l",
    "GETEX k\r\nSET k 1",
    "EVAL \"return redis.call('get', KEYS[1])\" 1 k\r\nSET k 1\r\nSET k 2",
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_options_are_refused_as_with_redis(peer: Peer, conversation: str) -> None:
    peer.clear()
    data = conversation.encode() + b"\r\n"
    assert without_id(ours(data).replies) == without_id(exchange(peer.server, data).replies)


@pytest.mark.parametrize("options", ["", "NOLOOP", "OPTOUT"])
@pytest.mark.parametrize("conversation", PUSHES)
def test_pushes_come_as_with_redis(peer: Peer, conversation: str, options: str) -> None:
    peer.clear()
    begin = f"HELLO 3\r\nCLIENT TRACKING ON {options}".rstrip()
    data = f"{begin}\r\n{conversation}\r\n".encode()
    assert without_id(ours(data).replies) == without_id(exchange(peer.server, data).replies)


def without_id(replies: bytes) -> bytes:
    """Return the replies without that to HELLO, which has ids and versions."""
    return replies.partition(b"$7\r\nmodules\r\n")[2] or replies
