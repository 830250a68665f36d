"""Compare HELLO, AUTH, PING, ECHO, SELECT, QUIT and RESET with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Peer

CONVERSATIONS = [
    "PING",
    "PING hello",
    "PING a b",
    "ECHO hello",
    "ECHO",
    "SELECT 0",
    "SELECT 1",
    "SELECT -1",
    "SELECT x",
    "SELECT 3000000000",
    "QUIT\r\nPING",
    "RESET\r\nPING",
    "AUTH x",
    "AUTH default x",
    "AUTH nobody x",
    "AUTH a b c",
    "HELLO 1",
    "HELLO 4",
    "HELLO x",
    "HELLO 99999999999999999999",
    "HELLO 3 SETNAME",
    "HELLO 3 AUTH default",
    "HELLO 3 AUTH nobody x",
    "HELLO 3 SETNAME 'a b'",
    "HELLO 3 NOTHING x",
    "HELLO 2 SETNAME bob AUTH default x\r\nCLIENT GETNAME",
    "HELLO 3 SETNAME bob\r\nCLIENT GETNAME\r\nRESET\r\nCLIENT GETNAME\r\nGET nothing",
    "HELLO 3\r\nGET nothing\r\nHELLO 2\r\nGET nothing",
    "CLIENT REPLY OFF\r\nRESET\r\nPING",
]


def without_identity(replies: bytes) -> bytes:
    """Return replies of HELLO without version and client id."""
    parts = replies.split(b"\r\n")
    for at, part in enumerate(parts):
        if part == b"version":
            parts[at + 1 : at + 3] = [b"", b""]
        elif part == b"id":
            parts[at + 1] = b""
    return b"\r\n".join(parts)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_conversations_run_as_with_redis(peer: Peer, conversation: str) -> None:
    data = conversation.encode() + b"\r\n"
    mine, theirs = ours(data), exchange(peer.server, data)
    assert without_identity(mine.replies) == without_identity(theirs.replies)
    assert mine.closed == theirs.closed
