"""Compare the replies of commands in a transaction with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Peer

CONVERSATIONS = [
    "FOO bar",
    "GET",
    "GET a b",
    "CONFIG",
    "CONFIG NOTHING",
    "CONFIG GET",
    "config|get x",
    "EXEC",
    "EXEC now",
    "WATCH a\r\nEXEC now\r\nSET a 1\r\nMULTI\r\nEXEC\r\nDEL a",
    "DISCARD",
    "MULTI\r\nMULTI\r\nEXEC",
    "MULTI\r\nWATCH a\r\nPING\r\nEXEC",
    "MULTI\r\nGET\r\nPING\r\nEXEC\r\nPING",
    "MULTI\r\nFOO\r\nDISCARD\r\nEXEC",
    "MULTI\r\nSET k v\r\nLPUSH k x\r\nGET k\r\nEXEC\r\nDEL k",
    "MULTI\r\nEXEC x\r\nEXEC",
    "MULTI\r\nEXEC",
    "MULTI\r\nRESET\r\nEXEC",
    "MULTI\r\nQUIT\r\nPING",
    "MULTI\r\nUNWATCH\r\nEXEC",
    "WATCH",
    "MULTI\r\nCONFIG NOTHING\r\nEXEC",
    "POST / HTTP/1.1\r\nPING",
    "Host: example.org\r\nPING",
    "QUIT now\r\nPING",
    "CLIENT REPLY OFF\r\nPING\r\nFOO\r\nCLIENT REPLY ON\r\nPING",
    "CLIENT REPLY SKIP\r\nPING\r\nECHO a",
    "CLIENT REPLY SKIP\r\nFOO\r\nECHO a",
    "CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nECHO a",
    "CLIENT REPLY WHAT",
    "CLIENT REPLY OFF\r\n*1\r\nnonsense",
    "RESET x",
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_conversations_run_as_with_redis(peer: Peer, conversation: str) -> None:
    data = conversation.encode() + b"\r\n"
    assert ours(data) == exchange(peer.server, data)
