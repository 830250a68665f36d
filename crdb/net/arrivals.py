"""Driver: the connections of links that have received something.

Tasks of trio read from links. While the listener serves clients, or waits for them in the kernel,
these tasks do not run. So the listener asks here whether one of them has something to read.
"""

from __future__ import annotations

import select
import time
from collections.abc import Awaitable, Callable
from typing import Final

import trio
import trio.lowlevel

SELECTABLE: Final = 1024
"""Below this, `select.select` can wait for a file descriptor, and for less than a millisecond."""


class OtherTasks(trio.abc.Instrument):
    """Knows for how long no task of trio can run but the one that asks. trio reports each task that
    is scheduled, so it is asked again only after that. Its answer takes as long as a request."""

    def __init__(self) -> None:
        self.free_until = 0.0
        """The time, by `time.monotonic`, until which no other task can run; 0 if not known."""

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """Forget what is known, since a task can run."""
        self.free_until = 0.0

    def seconds_left(self) -> float:
        """Return for how long (s) no other task can run; not above 0 if one can run now."""
        now = time.monotonic()
        if self.free_until <= now:
            others = trio.lowlevel.current_statistics()
            self.free_until = now + (
                0.0 if others.tasks_runnable else others.seconds_to_next_deadline
            )
        return self.free_until - now


class Arrivals:
    """Watches the connections of the links of one instance. It does not read from them."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.others = OtherTasks()

    def fileno(self) -> int:
        """Return the file descriptor that is readable while something is unread."""
        return self.epoll.fileno()

    def watch(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        """Watch a connection until it is closed; the system forgets it then. Return it."""
        if isinstance(stream, trio.SocketStream):
            self.epoll.register(stream.socket.fileno(), select.EPOLLIN)
        return stream

    def watching(
        self, connect: Callable[[], Awaitable[trio.abc.Stream]]
    ) -> Callable[[], Awaitable[trio.abc.Stream]]:
        """Return `connect` with the addition that its connections are watched."""

        async def watched() -> trio.abc.Stream:
            return self.watch(await connect())

        return watched

    def are_unread(self) -> bool:
        """Return whether a link has received something that its task has not read."""
        return bool(self.epoll.poll(0, 1))

    def can_wait_with(self, clients: select.epoll) -> bool:
        """Return whether `wait_with` can wait for these sets."""
        return max(clients.fileno(), self.fileno()) < SELECTABLE

    def wait_with(self, clients: select.epoll, seconds: float) -> bool:
        """Wait in the kernel while no task can run: until a client is ready, a link has something
        to read, or `seconds` have passed. Return whether a client is ready."""
        seconds = min(seconds, self.others.seconds_left())
        if seconds <= 0:
            return False
        return clients in select.select((clients, self), (), (), seconds)[0]

    async def let_tasks_run(self) -> None:
        """Let other tasks run, also those that read from links."""
        await trio.lowlevel.checkpoint()
        if self.are_unread():  # tasks that are ready together run in random order
            await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Watch nothing any more."""
        self.epoll.close()
