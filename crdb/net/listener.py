"""Driver: all clients of one instance, served by one task.

One epoll set holds the listening sockets and every client. A turn reads each socket that is ready
once, runs the requests, and does the other phases of `crdb.engine.turns.turn`. While sockets are
ready, turns follow each other without a task switch, but other tasks run after each time slice of a
millisecond, or of a tenth of that if a link has received something. When no socket is ready, the
task waits in trio for the set itself. A listener that has its process to itself busy-polls instead:
it waits in the kernel for the rest of the time slice, or for a link, which is quicker.
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
from crdb.engine.session import Session
from crdb.net.acceptor import Acceptor
from crdb.net.arrivals import Arrivals
from crdb.net.collector import examine_effects
from crdb.net.connection import Connection
from crdb.net.process import add_process_info
from crdb.net.serving import run_slice, run_waiting, send_held, serve_ready

SLICE_NS: Final = 1_000_000
"""The time slice after which other tasks, above all those that read from links, run."""
LINKS_NS: Final = 100_000
"""The time after which they run if a link has received something."""


def read_clocks(instance: Instance) -> None:
    """Set the clocks of `instance`. They stand still between two calls."""
    instance.advance(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)
    instance.timing.begin_turn()


class Listener:
    """Serves `instance` on bound, listening sockets, which it owns from then on."""

    def __init__(
        self,
        instance: Instance,
        sockets: Sequence[socket.socket],
        arrivals: Arrivals,
        *,
        busy_polls: bool = False,
    ) -> None:
        self.instance = instance
        self.arrivals = arrivals
        self.turn = instance.turn
        self.connections: dict[int, Connection] = {}
        self.by_client: dict[int, Connection] = {}
        self.epoll = select.epoll()
        self.acceptor = Acceptor(instance, sockets, self.epoll)
        self.busy_polls = busy_polls and arrivals.can_wait_with(self.epoll)
        self.wakeup_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        """Makes the epoll set ready if a session has more requests to run."""
        self.in_turn = False
        self.seconds_left = math.inf
        """The time from the latest turn until the outbox is due."""
        instance.timing.clock = time.perf_counter
        instance.timing.cpu_clock = time.thread_time
        add_process_info(instance)
        read_clocks(instance)

    async def serve(self) -> None:
        """Serve clients until cancelled, and then close every connection."""
        self.epoll.register(self.wakeup_fd, select.EPOLLIN)
        self.acceptor.start()
        self.instance.on_wake = self._serve_woken
        self.turn.send = self._send_held
        trio.lowlevel.add_instrument(self.arrivals.others)
        try:
            while True:
                if self._run_time_slice():
                    await self.arrivals.let_tasks_run()
                else:
                    await self._sleep()
        finally:
            trio.lowlevel.remove_instrument(self.arrivals.others)
            self._close_all()

    def _run_time_slice(self) -> bool:
        """Serve the sockets that are ready, for SLICE_NS at most, and about LINKS_NS if a link has
        received something. Return whether more may be ready, or a link waits to be read."""
        served = False
        asks = time.monotonic_ns() + LINKS_NS
        ends = asks - LINKS_NS + SLICE_NS
        while (left := ends - (now := time.monotonic_ns())) > 0:
            if now >= asks:
                if self.arrivals.are_unread():
                    break
                asks = now + LINKS_NS
            events = self.epoll.poll(0)
            if events or not self.instance.slices.is_idle():
                self._run_turn(events)
                served = True
                continue
            seconds = min(left / 1e9, self.seconds_left)
            if not (served and self.busy_polls and self.arrivals.wait_with(self.epoll, seconds)):
                return served and self.arrivals.are_unread()
        return True

    async def _sleep(self) -> None:
        """Wait until a socket is ready or the instance has a deadline."""
        self.turn.before_sleep()
        seconds = self.instance.deadline / 1000 - time.monotonic()
        with trio.move_on_after(max(0.0, seconds)) as scope:
            await trio.lowlevel.wait_readable(self.epoll.fileno())
        if scope.cancelled_caught:
            self._run_turn([])

    def _run_turn(self, events: list[tuple[int, int]]) -> None:
        """Read, execute, seal, append, flush and push."""
        read_clocks(self.instance)
        self.in_turn = True
        self._read_and_execute(events)
        examine_effects(self.instance.keyspace.pending_bytes())
        self._finish_turn()

    def _read_and_execute(self, events: list[tuple[int, int]]) -> None:
        """Serve the sockets that are ready, and the sessions that are woken."""
        instance = self.instance
        unknown, over = serve_ready(self.connections, events)
        for connection in over:
            self._close(connection)
        for fd in unknown:
            self._serve_other(fd)
        if instance.now >= instance.deadline:
            instance.tick()
            self.acceptor.resume()
        if not instance.slices.is_idle():
            ended = run_slice(instance, self.by_client)
            if ended is not None:
                self._close(ended)
        if instance.woken:
            self._run_woken()

    def _finish_turn(self) -> None:
        """Run the other phases. Sessions that are woken meanwhile run in the next turn."""
        self.seconds_left = self.turn.finish()
        if self.instance.woken:
            os.eventfd_write(self.wakeup_fd, 1)
        self.in_turn = False

    def _run_woken(self) -> None:
        """Run the waiting requests of the sessions that are woken, once each."""
        woken = list(self.instance.woken)
        self.instance.woken.clear()
        for session in woken:
            connection = self.by_client.get(session.id)
            if connection is not None and not run_waiting(connection):
                self._close(connection)

    def _send_held(self, session: Session) -> None:
        """Send the replies of a session that have waited for the journal."""
        connection = self.by_client.get(session.id)
        if connection is not None and not send_held(connection):
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close a connection."""
        del self.connections[connection.fd]
        del self.by_client[connection.client.id]
        connection.close()

    def _close_all(self) -> None:
        """Close all connections, and the listening sockets."""
        self.instance.on_wake = lambda: None
        self.instance.slices.finish_all()
        for connection in list(self.connections.values()):
            self._close(connection)
        self.acceptor.close()
        self.epoll.close()
        os.close(self.wakeup_fd)

    def _serve_woken(self) -> None:
        """Serve sessions woken between turns. Let the listener begin with work in slices."""
        if not self.in_turn:
            self.in_turn = True
            read_clocks(self.instance)
            self._run_woken()
            self._finish_turn()
            if not self.instance.slices.is_idle():
                os.eventfd_write(self.wakeup_fd, 1)

    def _serve_other(self, fd: int) -> None:
        """Serve a file descriptor that belongs to no client."""
        if fd == self.wakeup_fd:
            os.eventfd_read(self.wakeup_fd)
            return
        for connection in self.acceptor.accept(fd):
            self.connections[connection.fd] = self.by_client[connection.client.id] = connection
