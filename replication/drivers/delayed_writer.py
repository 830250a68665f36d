"""Driver: delay output, to imitate a long distance.

A line sends its bytes after the delay, in order. The bytes in transit are bounded. So regions on
one machine see the latencies between the places that they represent.

Without a delay, bytes go to the kernel immediately, without a task switch. The task `run` sends
only what the kernel does not accept, and what must follow bytes that are still under way.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Final

import attrs
import trio

DELAYED_BYTES_MAX: Final = 64 << 20  # under way: four full windows
EARLY_SECONDS: Final = 0.000_5  # an idle event loop sleeps for whole milliseconds


@attrs.define
class WakeupEvent:
    """An event that one task waits for, again and again. Set twice, it wakes the task once."""

    event: trio.Event = attrs.field(factory=trio.Event)

    def set(self) -> None:
        """Wake the task that waits, or the next one that does."""
        self.event.set()

    async def wait(self) -> None:
        """Wait until the event is set, and reset it."""
        await self.event.wait()
        self.event = trio.Event()


@attrs.define
class Line:
    """A stream with a delay: what is put in is sent later, in order."""

    stream: trio.abc.Stream
    queue: deque[tuple[float, bytes]] = attrs.field(factory=deque[tuple[float, bytes]])
    size: int = 0
    total: int = 0
    """The bytes that were ever put in."""
    filled: WakeupEvent = attrs.field(factory=WakeupEvent)
    drained: WakeupEvent = attrs.field(factory=WakeupEvent)

    def is_full(self, seconds: float) -> bool:
        """Return whether too much is under way to put in more. Without a delay, any byte is too
        much."""
        return self.size > (DELAYED_BYTES_MAX if seconds else 0)

    def put(self, data: bytes, seconds: float) -> None:
        """Send `data` after a delay of `seconds`."""
        self.total += len(data)
        if not seconds and not self.size:
            count = hand_over(self.stream, data)
            data = data[count:] if count else data
        if data:
            self.queue.append((trio.current_time() + seconds, data))
            self.size += len(data)
            self.filled.set()

    def take(self, now: float) -> bytes:
        """Return what is due at `now`."""
        due: list[bytes] = []
        while self.queue and self.queue[0][0] <= now:
            due.append(self.queue.popleft()[1])
        return b"".join(due)

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            if not self.queue:
                await self.filled.wait()
                continue
            await trio.sleep_until(self.queue[0][0] - EARLY_SECONDS)
            await self.send_due(trio.current_time() + EARLY_SECONDS)

    async def send_due(self, now: float) -> None:
        """Send what is due at `now`, and release it."""
        data = self.take(now)
        left = memoryview(data)[hand_over(self.stream, data) :]
        if left:
            await self.stream.send_all(left)
        self.size -= len(data)
        self.drained.set()


def hand_over(stream: trio.abc.Stream, data: bytes) -> int:
    """Return how many bytes the kernel accepts immediately. 0 if the connection is broken: the next
    send or receive raises the error."""
    if not isinstance(stream, trio.SocketStream):
        return 0
    try:
        return os.write(stream.socket.fileno(), data)
    except OSError:
        return 0
