"""Raw requests: the exact reply bytes, and whether the server closes the connection."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import attrs

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import ParameterTable
from crdb.resp.errors import ProtocolError
from crdb.resp.parser import Parser
from crdt.embed.replica import Replica
from tests.crdb.redis_peer import Server

NOW = 1_700_000_000_000
WITNESS = b"*1\r\n$4\r\nPING\r\n"


@attrs.frozen
class Exchange:
    """The received bytes, and whether the other side closed the connection."""

    replies: bytes
    closed: bool


def exchange(server: Server, data: bytes, witness: bytes = WITNESS) -> Exchange:
    """Send `data` to a redis-server. A PING after it shows whether it still reads."""
    with socket.create_connection(server.socket.getpeername()[:2]) as sock:
        sock.settimeout(30)
        replies = b""
        try:
            sock.sendall(data + witness)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(1 << 16):
                replies += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    pong = b"+PONG\r\n"
    alive = witness != b"" and replies.endswith(pong)
    return Exchange(replies.removesuffix(pong) if alive else replies, not alive)


def instance(**parameters: str) -> Instance:
    """Return an empty instance with some parameters set. Their names have `_` for `-`."""
    values = {name.replace("_", "-"): value for name, value in parameters.items()}
    made = Instance(Replica(1), build_table(), config=ParameterTable(values))
    made.advance(NOW)
    return made


def ours(data: bytes, **parameters: str) -> Exchange:
    """Send `data` to a new instance."""
    client = Client(instance(**parameters))
    replies = receive(client, data + WITNESS)
    pong = b"+PONG\r\n"
    alive = replies.endswith(pong) and not client.closing
    return Exchange(replies.removesuffix(pong) if alive else replies, not alive)


def lines(client: Client, *requests: str) -> list[bytes]:
    """Run inline requests of one client. Return the replies, each as it was sent."""
    return [receive(client, request.encode() + b"\r\n") for request in requests]


Outcome = tuple[list[list[bytes]], bytes | None]


def parse(pieces: Iterable[bytes], trusted: bool = True) -> Outcome:
    """Return all requests in these pieces, and the error that ended them."""
    parser = Parser()
    parser.trusted = trusted
    found: list[list[bytes]] = []
    for piece in pieces:
        parser.feed(piece)
        try:
            while (args := parser.next()) is not None:
                found.append(args)
        except ProtocolError as fault:
            return found, fault.text
    return found, None
