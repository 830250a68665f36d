"""Several connections to a real redis-server and to an instance of ours, which get the same bytes.

A script has one step in each line: the number of a connection, and the requests that it sends at
once, separated by semicolons. A connection whose name begins with R uses RESP3. After each step
every connection must have received the same bytes on both sides. In the end all connections are
closed, and nothing more may come.
"""

from __future__ import annotations

import socket

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from tests.crdb.redis_peer import Server, wall_clock

SECONDS_MAX = 10


class Talk:
    """One connection on both sides for each number that a script uses."""

    def __init__(self, server: Server) -> None:
        self.address = server.socket.getpeername()[:2]
        self.instance = Instance(Replica(1), build_table())
        self.instance.advance(wall_clock())
        self.clients: dict[str, Client] = {}
        self.sockets: dict[str, socket.socket] = {}

    def play(self, script: str) -> None:
        """Play a script, and compare after each step."""
        try:
            for line in script.strip().splitlines():
                name, _, requests = line.strip().partition(" ")
                self.step(name, requests.replace("; ", "\r\n").encode("latin-1") + b"\r\n")
            for name, sock in self.sockets.items():
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100) == b"", name
        finally:
            for sock in self.sockets.values():
                sock.close()

    def step(self, name: str, data: bytes) -> None:
        """Let one connection send requests."""
        if name not in self.clients:
            self.clients[name] = Client(self.instance)
            self.sockets[name] = socket.create_connection(self.address)
            self.sockets[name].settimeout(SECONDS_MAX)
            if name.startswith("R"):
                self.use_resp3(name)
        self.instance.advance(wall_clock())
        ours = {name: receive(self.clients[name], data)}
        for other, client in self.clients.items():
            if other != name and client.out:
                ours[other] = receive(client, b"")
            if client.killed:
                client.leave()
        self.sockets[name].sendall(data)
        for each, expected in ours.items():
            assert self.read(each, len(expected)) == expected, (each, data)

    def use_resp3(self, name: str) -> None:
        """Let a connection use RESP3. The replies differ, as they hold the version and an id."""
        receive(self.clients[name], b"HELLO 3\r\n")
        self.sockets[name].sendall(b"HELLO 3\r\nPING\r\n")
        found = b""
        while not found.endswith(b"+PONG\r\n"):
            found += self.sockets[name].recv(1)

    def read(self, name: str, size: int) -> bytes:
        """Read what the server sends to a connection, if it is as long as what we send."""
        found = b""
        while len(found) < size and (piece := self.sockets[name].recv(size - len(found))):
            found += piece
        return found
