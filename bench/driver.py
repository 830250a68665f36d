"""Send requests to a server over a plain socket, faster than a client library.

Replies are not decoded. A reply's end is found by its length, or by counting lines.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from itertools import islice
from typing import Self

from machine import HOST, BenchError, Server

REPLY_SECONDS_MAX = 300.0
BATCH = 1_000  # requests in one pipeline
SHOWN_BYTES = 200  # of a reply that is an error


def request(*words: str) -> bytes:
    """Return a request in RESP."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(w), w) for w in encoded])


def connect(port: int, seconds_max: float = REPLY_SECONDS_MAX) -> socket.socket:
    """Open a connection with a timeout. Small requests are sent without delay."""
    client = socket.create_connection((HOST, port), seconds_max)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


class Driver:
    """A connection that sends requests, and waits for their replies."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket = connect(server.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, *words: str) -> bytes:
        """Send a request, and return the first line of its reply. Wait for all of the reply.

        An array must consist of bulk strings. Its end is found by counting lines.
        """
        return self.ask_raw(request(*words))

    def ask_raw(self, data: bytes, lines_per_item: int = 2) -> bytes:
        """Send an encoded request, and return the first line of its reply."""
        self._socket.sendall(data)
        received = self._receive()
        while b"\r\n" not in received:
            received += self._receive()
        first, _, rest = received.partition(b"\r\n")
        if first.startswith(b"-"):
            raise BenchError(f"{self._server.name} replied {first.decode()}")
        if first.startswith(b"*"):
            self._count_lines(rest, int(first[1:]) * lines_per_item)
        elif first.startswith(b"$") and first != b"$-1":
            missing = int(first[1:]) + 2 - len(rest)
            while missing > 0:
                missing -= len(self._receive())
        return first

    def integer(self, *words: str) -> int:
        """Send a request, and return its reply, which must be an integer."""
        return int(self.ask(*words)[1:])

    def load(self, requests: Iterable[bytes], batch: int = BATCH, lines_per_reply: int = 1) -> int:
        """Send requests in pipelines, and return their number. All replies have as many lines.

        A pipeline must be small enough for the buffers of the sockets, as its replies are read when
        all of it has been sent.
        """
        waiting = iter(requests)
        total = 0
        while some := list(islice(waiting, batch)):
            self._socket.sendall(b"".join(some))
            self._count_lines(b"", len(some) * lines_per_reply)
            total += len(some)
        return total

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise BenchError(f"{self._server.name} closed the connection")
        return data

    def _count_lines(self, data: bytes, lines: int) -> None:
        """Receive until `lines` lines have come, of which `data` is the start."""
        seen, last = data.count(b"\n"), data[-1:]
        self._check(data)
        while seen < lines:
            data = self._receive()
            self._check(last + data)
            seen += data.count(b"\n")
            last = data[-1:]

    def _check(self, data: bytes) -> None:
        """Raise BenchError if a line is an error. A negative integer or length begins otherwise."""
        at = 0 if data.startswith(b"-") else data.find(b"\n-") + 1
        if data[at : at + 1] == b"-":
            text = data[at : at + SHOWN_BYTES].partition(b"\r\n")[0]
            raise BenchError(f"{self._server.name} replied {text.decode()}")
