"""Driver: a long way, imitated over a short one.

What is put into one end of a line comes out of the other so much later, in order; what is on its
way is bounded in bytes. So regions on one machine see the latencies of the places they stand for.

What has no way to go is handed to the kernel at once, without a task switch: only what the kernel
does not take, or what must come after something that is on its way, waits for the task `run`.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Final

import attrs
import trio

DELAYED_BYTES_MAX: Final = 64 << 20  # on their way: four full windows
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
    """A way of some length: what is put in comes out later, in order."""

    stream: trio.abc.Stream
    queue: deque[tuple[float, bytes]] = attrs.field(factory=deque[tuple[float, bytes]])
    size: int = 0
    total: int = 0
    """The bytes that were ever put in."""
    filled: WakeupEvent = attrs.field(factory=WakeupEvent)
    drained: WakeupEvent = attrs.field(factory=WakeupEvent)

    def is_full(self, seconds: float) -> bool:
        """Whether too much is on its way to put in more: anything at all, on a line without
        length."""
        return self.size > (DELAYED_BYTES_MAX if seconds else 0)

    def put(self, data: bytes, seconds: float) -> None:
        """Let `data` come out so much later."""
        self.total += len(data)
        if not seconds and not self.size:
            count = hand_over(self.stream, data)
            data = data[count:] if count else data
        if data:
            self.queue.append((trio.current_time() + seconds, data))
            self.size += len(data)
            self.filled.set()

    def take(self, now: float) -> bytes:
        """All that has gone the whole way by `now`."""
        due: list[bytes] = []
        while self.queue and self.queue[0][0] <= now:
            due.append(self.queue.popleft()[1])
        return b"".join(due)

    async def run(self) -> None:
        """Let come out what has gone the whole way."""
        while True:
            if not self.queue:
                await self.filled.wait()
                continue
            await trio.sleep_until(self.queue[0][0] - EARLY_SECONDS)
            await self.send_due(trio.current_time() + EARLY_SECONDS)

    async def send_due(self, now: float) -> None:
        """Send what has gone the whole way by `now`, and keep nothing of it."""
        data = self.take(now)
        left = memoryview(data)[hand_over(self.stream, data) :]
        if left:
            await self.stream.send_all(left)
        self.size -= len(data)
        self.drained.set()


def hand_over(stream: trio.abc.Stream, data: bytes) -> int:
    """How many bytes the kernel takes at once; of a broken connection whoever waits will hear."""
    if not isinstance(stream, trio.SocketStream):
        return 0
    try:
        return os.write(stream.socket.fileno(), data)
    except OSError:
        return 0
