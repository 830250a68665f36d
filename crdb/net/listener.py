"""Driver: all clients of one instance, served by one task.

One epoll set holds the listening sockets and every client. Per turn all that are ready are read
once, their requests carried out, and their replies sent with one call each. While there is work the
task goes on without leaving, but lets others run after every stretch of a millisecond; when
there is none it waits in trio for the set itself. A listener that has its process to itself waits
in the kernel for the rest of a stretch, which spares clients the way through the event loop.
"""

from __future__ import annotations

import math
import os
import select
import socket
import time
from collections.abc import Sequence
from typing import Final

import trio

from crdb.engine.instance import Instance
from crdb.net.client_admission import refusal
from crdb.net.connection import Connection
from crdb.net.process import tell_of_process
from crdb.net.serving import attend, resume_requests

ACCEPT_MAX: Final = 64
"""Connections taken per turn, so that a flood of them does not stop those that are there."""
STRETCH_NS: Final = 1_000_000
"""How long to go on before other tasks, those that read from links above all, get to run."""
SELECTABLE: Final = 1024
"""Below this, `select.select` can wait for a file descriptor, and for less than a millisecond."""


def read_clocks(instance: Instance) -> None:
    """Tell `instance` what time it is. For the instance, time stands still between two calls."""
    instance.advance(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


class Listener:
    """Serves `instance` on bound, listening sockets, which it owns from then on."""

    def __init__(
        self, instance: Instance, sockets: Sequence[socket.socket], *, lingers: bool = False
    ) -> None:
        self.instance = instance
        self.listening = {sock.fileno(): sock for sock in sockets}
        self.connections: dict[int, Connection] = {}
        self.by_client: dict[int, Connection] = {}
        self.epoll = select.epoll()
        self.lingers = lingers and self.epoll.fileno() < SELECTABLE
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        """Wakes the set up if a session has more to do."""
        self.in_turn = False
        self.patience = math.inf
        """For how many seconds after the latest turn there is nothing else to do."""
        self.deaf = False
        """Out of file descriptors: no connection is taken until the next tick."""
        instance.timing.clock = time.perf_counter
        tell_of_process(instance)
        read_clocks(instance)

    async def serve(self) -> None:
        """Run until cancelled; then every connection is closed."""
        self.epoll.register(self.bell, select.EPOLLIN)
        for sock in self.listening.values():
            sock.setblocking(False)
        self._hear()
        self.instance.on_wake = self._answer
        try:
            while True:
                if self._stretch():
                    await trio.lowlevel.checkpoint()  # others get to run
                else:
                    await self._wait()
        finally:
            self._close_all()

    def _stretch(self) -> bool:
        """Serve whoever is ready, for STRETCH_NS at most; whether there may be more."""
        served = False
        ends = time.monotonic_ns() + STRETCH_NS
        while (left := ends - time.monotonic_ns()) > 0:
            events = self.epoll.poll(0)
            if events:
                self._turn(events)
                served = True
            elif not served or not self.lingers or not self._linger(left / 1e9):
                return False
        return True

    def _linger(self, seconds: float) -> bool:
        """Wait in the kernel, but let nobody else wait for that; whether a client became ready."""
        others = trio.lowlevel.current_statistics()
        seconds = min(seconds, self.patience, others.seconds_to_next_deadline)
        may_wait = not others.tasks_runnable and seconds > 0
        return may_wait and bool(select.select((self.epoll,), (), (), seconds)[0])

    async def _wait(self) -> None:
        """Until a socket is ready or something is due."""
        self.instance.before_rest()
        seconds = self.instance.deadline / 1000 - time.monotonic()
        with trio.move_on_after(max(0.0, seconds)) as scope:
            await trio.lowlevel.wait_readable(self.epoll.fileno())
        if scope.cancelled_caught:
            self._turn([])

    def _turn(self, events: list[tuple[int, int]]) -> None:
        """Serve everything that is ready."""
        instance = self.instance
        read_clocks(self.instance)
        self.in_turn = True
        strangers, over = attend(self.connections, events)
        for connection in over:
            self._close(connection)
        for fd in strangers:
            self._other(fd)
        if instance.now >= instance.deadline:
            instance.tick()
            if self.deaf:
                self._hear()
        if instance.woken:
            self._go_on()
        self.patience = instance.after_turn()
        self.in_turn = False

    def _go_on(self) -> None:
        """Turn to sessions that something has happened to, each once."""
        woken = list(self.instance.woken)
        self.instance.woken.clear()
        for session in woken:
            connection = self.by_client.get(session.id)
            if connection is not None and not resume_requests(connection):
                self._close(connection)
        if self.instance.woken:
            os.eventfd_write(self.bell, 1)

    def _close(self, connection: Connection) -> None:
        """The end of a connection."""
        del self.connections[connection.fd]
        del self.by_client[connection.client.id]
        connection.close()

    def _close_all(self) -> None:
        """The end of all of them."""
        self.instance.on_wake = lambda: None
        for connection in list(self.connections.values()):
            self._close(connection)
        for sock in self.listening.values():
            sock.close()
        self.epoll.close()
        os.close(self.bell)

    def _answer(self) -> None:
        """Sessions woke up: turn to them at once, but not before a turn has ended."""
        if not self.in_turn:
            self.in_turn = True
            read_clocks(self.instance)
            self._go_on()
            self.in_turn = False

    def _hear(self) -> None:
        """Let the set tell of new connections."""
        self.deaf = False
        for fd in self.listening:
            self.epoll.register(fd, select.EPOLLIN)

    def _other(self, fd: int) -> None:
        """Not a client: the bell, or somebody who wants to be one."""
        if fd == self.bell:
            os.eventfd_read(self.bell)
            return
        for _ in range(ACCEPT_MAX):
            try:
                sock, _ = self.listening[fd].accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as fault:
                self.instance.tell("cannot accept", {"reason": str(fault)})
                self.deaf = True
                for listening in self.listening:
                    self.epoll.unregister(listening)
                return
            self._admit(sock)

    def _admit(self, sock: socket.socket) -> None:
        """Somebody has connected."""
        try:
            peer = None if sock.family == socket.AF_UNIX else sock.getpeername()[0]
            denied = refusal(self.instance, peer)
            if denied is not None:
                sock.send(denied)
                sock.close()
                return
            connection = Connection(sock, self.instance, self.epoll)
        except (OSError, MemoryError):
            sock.close()
            return
        self.connections[connection.fd] = self.by_client[connection.client.id] = connection
