"""Driver: the listening sockets of one instance, and the connections that they accept."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Final

from crdb.engine.events.operator_events import ClientsFullEvent
from crdb.engine.instance import Instance
from crdb.net.client_admission import refusal
from crdb.net.connection import Connection

ACCEPT_MAX: Final = 64
"""Connections accepted per turn, so that a flood of them does not delay other clients."""


class Acceptor:
    """Accepts clients of `instance` on listening sockets, which it owns from then on."""

    def __init__(
        self, instance: Instance, sockets: Sequence[socket.socket], epoll: select.epoll
    ) -> None:
        self.instance = instance
        self.listening = {sock.fileno(): sock for sock in sockets}
        self.epoll = epoll
        self.is_paused = True
        """True before the start, and while there are no free file descriptors."""

    def start(self) -> None:
        """Begin to accept."""
        for sock in self.listening.values():
            sock.setblocking(False)
        self.resume()

    def resume(self) -> None:
        """Accept new connections again after `pause`. Do nothing otherwise."""
        if self.is_paused:
            self.is_paused = False
            for fd in self.listening:
                self.epoll.register(fd, select.EPOLLIN)

    def pause(self) -> None:
        """Accept no connections until `resume`."""
        self.is_paused = True
        for fd in self.listening:
            self.epoll.unregister(fd)

    def accept(self, fd: int) -> list[Connection]:
        """Accept the clients that wait at a listening socket, ACCEPT_MAX at most."""
        accepted: list[Connection] = []
        for _ in range(ACCEPT_MAX):
            try:
                sock, _ = self.listening[fd].accept()
            except (BlockingIOError, ConnectionAbortedError):
                break
            except OSError as fault:
                self.instance.emit_event(ClientsFullEvent(reason=str(fault)))
                self.pause()
                break
            connection = self.admit(sock)
            if connection is not None:
                accepted.append(connection)
        return accepted

    def admit(self, sock: socket.socket) -> Connection | None:
        """Return the connection of a new client, or refuse it."""
        try:
            peer = None if sock.family == socket.AF_UNIX else sock.getpeername()[0]
            denied = refusal(self.instance, peer)
            if denied is None:
                return Connection(sock, self.instance, self.epoll)
            sock.send(denied)
        except (OSError, MemoryError):
            pass  # the client has left, or there is not enough memory
        sock.close()
        return None

    def close(self) -> None:
        """Close the listening sockets."""
        for sock in self.listening.values():
            sock.close()
