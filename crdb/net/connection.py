"""Driver: the socket of one client.

It reads without blocking, sends replies with one call, and keeps the bytes that the socket does not
take. Methods return False when the connection is over and must be closed.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from typing import Any, Final, cast

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from crdb.engine.instance import Instance
from crdb.engine.session import CLOSING, KILLED
from crdb.net.collector import LONG_REQUEST, LongRequest

READ_BYTES: Final = 32 * 1024
"""Bytes read per turn, so that clients that send much do not delay the others. A pipeline of
sixteen values of 1 KB fits."""
JOIN_BYTES_MAX: Final = 256 * 1024
"""Replies are joined to pieces of about this size before they are sent."""
WRITABLE: Final[int] = select.EPOLLOUT


class Connection:
    """A client and its socket, registered for reading in `epoll`."""

    __slots__ = (
        "client",
        "epoll",
        "fd",
        "long_request",
        "recv",
        "send",
        "sock",
        "statistics",
        "turn",
        "unsent",
        "unsent_bytes",
    )

    def __init__(self, sock: socket.socket, instance: Instance, epoll: select.epoll) -> None:
        """Take over a socket that has been accepted. Raises OSError if it is closed already."""
        self.sock = sock
        self.epoll = epoll
        self.fd = sock.fileno()
        self.recv = sock.recv
        self.send = sock.send
        self.statistics = instance.statistics
        self.turn = instance.turn
        self.unsent: deque[memoryview] = deque()
        """Replies that the socket did not take; it is then registered for writing too."""
        self.unsent_bytes = 0
        self.long_request = LongRequest()
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if keepalive := instance.config.keepalive_seconds:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive)
        here, there = address(sock.getsockname()), address(sock.getpeername())
        self.client = Client(instance, there, here)
        self.client.fd = self.fd
        epoll.register(self.fd, select.EPOLLIN)

    def receive(self) -> bool:
        """Read once, and run the requests."""
        try:
            data = self.recv(READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        client = self.client
        run(client, data)
        if client.parser.remaining > LONG_REQUEST:
            self.long_request.examine(len(client.parser.args))
        return True

    def has_replied(self) -> bool:
        """Return whether there are replies to send, or the connection has to be closed."""
        return len(self.client.out) > 0 or self.client.flags & CLOSING != 0

    def run_waiting(self) -> bool:
        """Run the requests that have waited for an event, such as the end of a blocking command."""
        run(self.client, b"")
        return self.send_or_hold()

    def send_or_hold(self) -> bool:
        """Send the replies, or hold them until the end of the turn if they wait for a journal."""
        if self.turn.holds_replies:
            self.turn.hold(self.client)
            return True
        return self.flush()

    def flush(self) -> bool:
        """Send the replies, or queue them behind unsent ones."""
        client = self.client
        if client.flags & KILLED:
            return False
        out = client.out
        if out:
            if len(out) == 1 or client.output_bytes <= JOIN_BYTES_MAX:
                self._put(out[0] if len(out) == 1 else b"".join(out))
                out.clear()
            else:
                self._put_many(out)
            # Replies to clients that were blocked have not been counted.
            client.output_bytes = self.unsent_bytes
            client.counted = 0
        return not client.flags & CLOSING or self._is_sending_rest()

    def _put(self, data: bytes) -> None:
        """Send `data`, and queue the part that the socket does not take."""
        sent = 0 if self.unsent else self._write(data)
        if sent < len(data):
            self.unsent.append(memoryview(data)[sent:])
            self.unsent_bytes += len(data) - sent
            self._register()

    def _put_many(self, out: list[bytes]) -> None:
        """Send many or large replies without copying all of them."""
        start = size = 0
        for index, reply in enumerate(out):
            if len(reply) >= JOIN_BYTES_MAX:
                if start < index:
                    self._put(b"".join(out[start:index]))
                self._put(reply)
                start, size = index + 1, 0
                continue
            size += len(reply)
            if size >= JOIN_BYTES_MAX:
                self._put(b"".join(out[start : index + 1]))
                start, size = index + 1, 0
        if start < len(out):
            self._put(b"".join(out[start:]))
        out.clear()

    def resume(self) -> bool:
        """Send one unsent piece. Call this when the socket takes more."""
        if not self.unsent:
            return True
        piece = self.unsent.popleft()
        sent = self._write(piece)
        self.unsent_bytes -= sent
        self.client.output_bytes = self.unsent_bytes
        if sent < len(piece):
            self.unsent.appendleft(piece[sent:])
        elif not self.unsent:
            self._register()
        return not self.client.flags & CLOSING or self._is_sending_rest()

    def close(self) -> None:
        """Close the socket, and remove the client."""
        self.epoll.unregister(self.fd)
        self.sock.close()
        self.client.leave()

    def _write(self, data: bytes | memoryview) -> int:
        """Return how many bytes the socket took.

        A broken socket takes all bytes. The next read reports the error.
        """
        try:
            sent = self.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)
        self.statistics.output_bytes += sent
        self.client.sent_bytes += sent
        return sent

    def _register(self) -> None:
        """Register for reading unless the client is closing, and for writing if any bytes wait."""
        writing = select.EPOLLOUT if self.unsent else 0
        reading = 0 if self.client.flags & CLOSING else select.EPOLLIN
        self.epoll.modify(self.fd, reading | writing)

    def _is_sending_rest(self) -> bool:
        """Return whether bytes have to be sent before the connection closes."""
        if self.unsent:
            self._register()
        return bool(self.unsent)


def address(name: object) -> bytes:
    """Return `host:port`, as CLIENT LIST shows it."""
    if not isinstance(name, tuple):
        return str(name).encode()
    host, port = cast("tuple[Any, ...]", name)[:2]
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()
