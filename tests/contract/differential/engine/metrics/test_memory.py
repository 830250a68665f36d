"""Compare the replies of commands that full memory refuses with those of a real redis-server."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.metrics.memory import (
    PLENTY,
)
from tests.crdb.raw import exchange, instance
from tests.crdb.redis_peer import Peer

CONVERSATIONS = [
    "SET k v\nAPPEND s x\nINCR n\nGET old\nDEL old\nEXISTS old",
    "EXPIRE old 100\nPERSIST old\nLPOP l\nSREM t a\nRENAME old new\nLPUSH l x\nFLUSHALL",
    "MULTI\nGET old\nEXEC",
    "MULTI\nSET k v\nEXEC",
    "MULTI\nDISCARD\nPING",
    "MULTI\nECHO x\nRESET",
    "WATCH old\nUNWATCH\nEXEC",
    "SORT l STORE x\nSORT l\nCOPY old x\nGETEX old\nGETDEL old\nSETBIT b 1 1\nLMOVE l l LEFT LEFT",
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_full_memory_refuses_what_redis_refuses(peer: Peer, conversation: str) -> None:
    before = b"SET old v\r\nRPUSH l 1 2 3\r\nSADD t a b\r\n"
    data = conversation.replace("\n", "\r\n").encode() + b"\r\n"
    exchange(peer.server, before)
    peer.server.run([b"CONFIG", b"SET", b"maxmemory", b"1"])
    try:
        theirs = exchange(peer.server, data)
    finally:
        peer.server.run([b"CONFIG", b"SET", b"maxmemory", b"0"])
    database = instance()
    database.memory.probe = lambda: (2, PLENTY)
    client = Client(database)
    receive(client, before)
    receive(client, b"CONFIG SET maxmemory 1\r\n")
    assert receive(client, data) == theirs.replies
