"""Driver: write to standard output without ever blocking the regions.

A reader may be slow or stop reading: a pipe into a stuck program, or a terminal after Ctrl-S. Text
waits here, at most `WAITING_BYTES_MAX` of it, and a separate thread writes it. Text that does not
fit is refused, and the caller counts it. When the reader has closed its end, `gone` is set. Text
that cannot be written, to a full disk or for want of memory, is discarded, and counted for the
caller too.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
import time
from itertools import accumulate
from queue import SimpleQueue
from typing import Final

import trio

WAITING_BYTES_MAX: Final = 1 << 20
"""Some thousand events: a reader so far behind has stopped reading."""
FAREWELL_SECONDS_MAX: Final = 1.0
"""The time limit for writing the rest at the end."""
RETRY_SECONDS: Final = 0.1
"""The time until the thread that has written tries again to say so, if memory was lacking."""
THREAD_NAME: Final = "standard output"


class WritingThread:
    """A thread that writes to a file descriptor, and may block.

    There is one from the beginning. To start one for each text would take memory: without it the
    new thread ends before `threading.Thread.start` has returned, which then waits for ever.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.texts: SimpleQueue[bytes | None] = SimpleQueue()
        self.result = (0, 0)
        self.written = trio.Event()
        self.token = trio.lowlevel.current_trio_token()
        threading.Thread(target=self.run, name=THREAD_NAME, daemon=True).start()

    async def write(self, data: bytes) -> tuple[int, int]:
        """Write `data`. Return the number of bytes that were written, and an errno, or 0. If this
        is cancelled, the thread may go on."""
        self.written = trio.Event()
        self.texts.put(data)
        await self.written.wait()
        return self.result

    def end(self) -> None:
        """Let the thread end when it has written its text."""
        self.texts.put(None)

    def run(self) -> None:
        """Write each text, in the thread."""
        while (data := self.texts.get()) is not None:
            self.result = write_all(self.fd, data)
            self.tell()

    def tell(self) -> None:
        """Let the task go on that waits for the thread, unless trio has ended."""
        while True:
            try:
                self.token.run_sync_soon(self.written.set)
            except trio.RunFinishedError:
                return
            except MemoryError:
                time.sleep(RETRY_SECONDS)
            else:
                return


class StdoutWriter:
    """Writes text to a file descriptor. With None, text is accepted and discarded."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self.waiting: list[bytes] = []
        self.size = 0
        """The number of bytes that wait or are being written."""
        self.lost = 0
        """The number of texts that could not be written, since the caller last set this to 0."""
        self.is_torn = False
        """True if a part of a text was written, and its rest is lost."""
        self.changed = trio.Event()
        self.empty = trio.Event()
        self.gone = trio.Event()
        """Set when the reader has closed its end."""

    def put(self, text: str) -> bool:
        """Queue text. Return False, without queueing it, if too much is waiting already."""
        data = text.encode(errors="backslashreplace")
        if self.size and self.size + len(data) > WAITING_BYTES_MAX:
            return False
        if self.fd is not None and not self.gone.is_set():
            self.waiting.append(data)
            self.size += len(data)
            self.changed.set()
        return True

    async def run(self) -> None:
        """Write queued text, until cancelled."""
        if self.fd is None:
            await trio.sleep_forever()
        thread = WritingThread(self.fd)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.watch)
                while True:
                    await self.changed.wait()
                    texts, self.waiting, self.changed = self.waiting, [], trio.Event()
                    await self.write(thread, texts)
        finally:
            thread.end()

    async def write(self, thread: WritingThread, texts: list[bytes]) -> None:
        """Let the thread write texts, and count those that are lost."""
        begin = b"\n" if self.is_torn else b""  # a text begins on a line of its own
        try:
            written, error = await thread.write(begin + b"".join(texts))
        except MemoryError:
            written, error = 0, errno.ENOMEM
        self.size -= sum(map(len, texts))
        self.record_written(texts, written - len(begin))
        if error == errno.EPIPE:
            self.gone.set()
        if not self.size:
            self.empty.set()
            self.empty = trio.Event()

    def record_written(self, texts: list[bytes], written: int) -> None:
        """Count the texts that are lost, since only so many bytes of all of them were written. It
        is negative if not even the line that was torn could be ended."""
        if written < 0:
            self.lost += len(texts)
            return
        ends = list(accumulate(map(len, texts)))
        complete = sum(end <= written for end in ends)
        self.lost += len(texts) - complete
        self.is_torn = written not in (0, *ends)

    async def close(self) -> None:
        """Wait until all text is written, at most `FAREWELL_SECONDS_MAX`."""
        with trio.move_on_after(FAREWELL_SECONDS_MAX):
            while self.size and not self.gone.is_set():
                await self.empty.wait()

    async def watch(self) -> None:
        """Set `gone` when the reader of a pipe closes it, also while nothing is written."""
        if self.fd is None or not is_pipe(self.fd):
            return
        with select.epoll() as epoll:
            epoll.register(self.fd, 0)
            await trio.lowlevel.wait_readable(epoll.fileno())
            self.gone.set()
            self.empty.set()


def write_all(fd: int, data: bytes) -> tuple[int, int]:
    """Write all of `data`. This may block. Return the number of bytes that were written, and an
    errno, or 0."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:  # the parent process has made the descriptor non-blocking
            select.select([], [fd], [])
        except MemoryError:
            return len(data) - len(left), errno.ENOMEM
        except OSError as fault:
            return len(data) - len(left), fault.errno or errno.EIO
    return len(data), 0


def is_pipe(fd: int) -> bool:
    """Return whether `fd` is a pipe or socket, whose reader can close it."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
