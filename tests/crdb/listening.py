"""A listener on a loopback port, and its test clients."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from crdb.engine.instance import Instance
from crdb.net.arrivals import Arrivals
from crdb.net.listener import Listener

PATIENCE_SECONDS = 30


def listening() -> socket.socket:
    """Return a listening socket on a free loopback port."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.listen(64)
    return sock


class Talker:
    """A client that waits for replies."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.received = b""

    async def send(self, request: bytes) -> None:
        """Send a request."""
        await self.stream.send_all(request)

    async def read(self, size: int) -> bytes:
        """Return exactly so many bytes of replies, or fewer if the other side closes first."""
        while len(self.received) < size:
            piece = await self.stream.receive_some(1 << 16)
            if not piece:
                break
            self.received += piece
        found, self.received = self.received[:size], self.received[size:]
        return found

    async def ask(self, request: bytes, reply: bytes) -> None:
        """Send a request, and require exactly this reply."""
        await self.send(request + b"\r\n")
        assert await self.read(len(reply)) == reply

    async def read_to_end(self) -> bytes:
        """Return the bytes received until the other side closes or resets the connection."""
        try:
            while piece := await self.stream.receive_some(1 << 16):
                self.received += piece
        except trio.BrokenResourceError:
            pass
        return self.received


class Site:
    """A listener, and its clients."""

    def __init__(self, instance: Instance, busy_polls: bool) -> None:
        self.socket = listening()
        self.arrivals = Arrivals()
        self.listener = Listener(instance, [self.socket], self.arrivals, busy_polls=busy_polls)
        self.port: int = self.socket.getsockname()[1]
        self.talkers: list[Talker] = []

    async def connect(self) -> Talker:
        """Connect a new client."""
        talker = Talker(await trio.open_tcp_stream("127.0.0.1", self.port))
        self.talkers.append(talker)
        return talker


@asynccontextmanager
async def serving(instance: Instance, busy_polls: bool = False) -> AsyncGenerator[Site]:
    """Run a listener while the block runs."""
    site = Site(instance, busy_polls)
    with trio.fail_after(PATIENCE_SECONDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.listener.serve)
            yield site
            nursery.cancel_scope.cancel()
    for talker in site.talkers:
        talker.stream.socket.close()
    site.arrivals.close()
