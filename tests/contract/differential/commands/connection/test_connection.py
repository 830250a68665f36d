"""Compare HELLO, AUTH, PING, ECHO, SELECT, QUIT and RESET with those of a real redis-server."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.crdb.raw import exchange, instance, ours
from tests.crdb.redis_peer import Peer, Reader, Server

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


DOINGS = ["PING", "AUTH default any", "HELLO 2 AUTH default any", "RESET", "AUTH any"]
QUESTIONS = ["PING", "HELLO 2 SETNAME x"]


class Pair:
    """A connection to the server and a client of ours, which send the same."""

    def __init__(self, server: Server, client: Client) -> None:
        self.there = socket.create_connection(server.socket.getpeername()[:2])
        self.here = client
        self.reader = Reader(lambda: self.there.recv(1 << 16))

    def ask(self, line: str) -> None:
        """Send a line over both, and compare the replies. The text about HELLO is that of 7.2."""
        data = line.encode() + b"\r\n"
        self.there.sendall(data)
        theirs, _ = self.reader.next()
        found = receive(self.here, data).replace(b"<proto> ", b"")
        assert without_identity(found) == without_identity(theirs.replace(b"<proto> ", b"")), line


def test_password_is_asked_for_as_in_redis(peer: Peer) -> None:
    """Clients connect while a password is set. It is emptied, and then another one is set."""
    server, here = peer.server, instance(requirepass="a")
    with ExitStack() as stack:
        stack.callback(server.run, [b"CONFIG", b"SET", b"requirepass", b""])
        server.run([b"CONFIG", b"SET", b"requirepass", b"a"])
        pairs = [Pair(server, Client(here)) for _ in DOINGS]
        for pair in pairs:
            stack.callback(pair.there.close)
            pair.ask("PING")
        for password in (b"", b"b"):
            server.run([b"CONFIG", b"SET", b"requirepass", password])
            here.config.set([(b"requirepass", password)])
            for pair, doing in zip(pairs, DOINGS, strict=True):
                for line in (*QUESTIONS, doing, *QUESTIONS):
                    pair.ask(line)
