"""Driver: text to standard output that never makes the regions wait.

A reader may be slow, or stop reading, as a pipe into a stuck program or a terminal after Ctrl-S
does. What is to be written waits here, at most `WAITING_BYTES_MAX` of it, and a thread of its own
writes it; what does not fit any more is refused, and the caller counts it. A reader that has gone
for good is told by `gone`; a full disk costs what was to be written, and nothing else.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from typing import Final

import trio

WAITING_BYTES_MAX: Final = 1 << 20
"""Some thousand events: a reader who is that far behind has stopped."""
FAREWELL_SECONDS_MAX: Final = 1.0
"""For what waits when all is over."""


class Outlet:
    """A file descriptor to write to; None takes everything and writes nothing."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self.waiting: list[bytes] = []
        self.size = 0
        """Bytes that wait or are being written."""
        self.changed = trio.Event()
        self.empty = trio.Event()
        self.gone = trio.Event()
        """Nobody can read any more what is written here."""

    def put(self, text: str) -> bool:
        """Let this be written; False if too much is waiting already."""
        data = text.encode(errors="backslashreplace")
        if self.size and self.size + len(data) > WAITING_BYTES_MAX:
            return False
        if self.fd is not None and not self.gone.is_set():
            self.waiting.append(data)
            self.size += len(data)
            self.changed.set()
        return True

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.watch)
            while True:
                await self.changed.wait()
                data, self.waiting, self.changed = b"".join(self.waiting), [], trio.Event()
                error = await trio.to_thread.run_sync(self.write, data, abandon_on_cancel=True)
                self.size -= len(data)
                if error == errno.EPIPE:
                    self.gone.set()
                if not self.size:
                    self.empty.set()
                    self.empty = trio.Event()

    async def close(self) -> None:
        """Wait until all is written, but not for long."""
        with trio.move_on_after(FAREWELL_SECONDS_MAX):
            while self.size and not self.gone.is_set():
                await self.empty.wait()

    async def watch(self) -> None:
        """Notice that the reader of a pipe has gone, also while there is nothing to write."""
        if self.fd is None or not is_pipe(self.fd):
            return
        with select.epoll() as epoll:
            epoll.register(self.fd, 0)
            await trio.lowlevel.wait_readable(epoll.fileno())
            self.gone.set()
            self.empty.set()

    def write(self, data: bytes) -> int:
        """Write all of it, in a thread that may wait; the number of an error, or 0."""
        assert self.fd is not None
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self.fd, left) :]
            except BlockingIOError:  # whoever started us has made it so
                select.select([], [self.fd], [])
            except OSError as fault:
                return fault.errno or errno.EIO
        return 0


def is_pipe(fd: int) -> bool:
    """Whether a reader at the other end can go away."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
