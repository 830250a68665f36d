"""Driver: what sends on one connection.

What an end has to say goes out immediately if it has rested, else together with what comes within
`PACE_SECONDS`; and whenever the owner of the links calls `push`, which costs no task switch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import attrs
import trio

from replication.drivers.delayed_writer import Line, WakeupEvent
from replication.mesh.registry import Machine
from replication.protocol.channel import Channel

PACE_SECONDS: Final = 0.000_5
SEND_BYTES: Final = 1 << 20  # put into one call, so that the other links get their turn
STRETCH_SECONDS: Final = 0.001  # spent on gathering before others get their turn


@attrs.define(eq=False)
class Writer:
    """Puts on the line what one end of a link has to say, but leaves its last frame to `finish`."""

    end: Machine
    line: Line
    channel: Channel
    delay_ns: Callable[[str], int]
    wakeup: WakeupEvent = attrs.field(factory=WakeupEvent)
    due: float = 0.0
    is_open: bool = False
    """True if the handshake is over and its last message is on the line."""

    @property
    def is_due(self) -> bool:
        """Return whether there is something to push."""
        return self.is_open and self.end.ready and not self.end.closed

    def greet(self) -> None:
        """Put the messages of the handshake on the line; let frames follow when it is over."""
        if data := self.channel.take_outgoing():
            self.line.put(data, self.delay_ns(self.end.peer) / 1e9)
        if self.channel.is_proven:
            self.is_open = True
            self.wakeup.set()

    def push(self, now: float) -> None:
        """Put on the line what there is, if there is room; about a stretch of it."""
        end, seconds = self.end, self.delay_ns(self.end.peer) / 1e9
        if self.line.is_full(seconds):
            return
        self.due = now + PACE_SECONDS
        wrap = self.channel.wrap
        data = wrap(end.frames_to_send())
        while end.ready and not end.closed and len(data) < SEND_BYTES:
            if trio.current_time() - now > STRETCH_SECONDS:
                break
            data += wrap(end.frames_to_send())
        if data:
            self.line.put(data, seconds)

    async def run(self) -> None:
        """Push whenever `wakeup` is set."""
        while not self.end.closed:
            if not self.is_due:
                await self.wakeup.wait()
            elif self.line.is_full(self.delay_ns(self.end.peer) / 1e9):
                await self.line.drained.wait()
            elif (now := trio.current_time()) < self.due:
                await trio.sleep_until(self.due)
            else:
                self.push(now)
                await trio.lowlevel.checkpoint()  # a long snapshot is due again immediately

    async def finish(self, stream: trio.abc.Stream) -> None:
        """Send the last frame of a link that has closed, unless something is still on its way.
        What a handshake has put on the line is sent first: it names our version to another one."""
        greeting = b"" if self.is_open else self.line.take(math.inf)
        if self.line.size == len(greeting):
            last = greeting + self.channel.take_outgoing()
            last += self.channel.wrap(self.end.frames_to_send())
            if last:
                await stream.send_all(last)


def address_of(stream: trio.abc.Stream) -> str:
    """Return the address of the other end; empty if the stream has none or is broken already."""
    if not isinstance(stream, trio.SocketStream):
        return ""
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return ""
