"""Driver: send the output of one connection's machine.

Output is sent immediately if the connection was idle. Otherwise it is gathered for `PACE_SECONDS`.
The owner of the connections can also call `push`, which needs no task switch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import attrs
import trio

from replication.drivers.delayed_writer import Line, WakeupEvent
from replication.machines.connections.contract import StreamMachine

PACE_SECONDS: Final = 0.000_5
SEND_BYTES: Final = 256 << 10  # put into one call, so that the other links get their turn
STRETCH_SECONDS: Final = 0.001  # spent on gathering before others get their turn
HANDSHAKE_BYTES_MAX: Final = 128
"""The largest size of a handshake. If a link ends that has sent no more than this in all, its
waiting output is sent before the last frame."""


@attrs.define(eq=False)
class Writer:
    """Sends the output of a machine. The last bytes are sent by `finish`."""

    machine: StreamMachine[Any]
    line: Line
    delay: Callable[[], float]
    """Returns the seconds for which bytes are held back."""
    wakeup: WakeupEvent = attrs.field(factory=WakeupEvent)
    due: float = 0.0
    has_lost_output: bool = attrs.field(init=False, default=False)
    """True if there was no memory for output that the machine had given away."""

    @property
    def is_due(self) -> bool:
        """Return whether there is something to push."""
        return self.machine.ready and not self.machine.closed and not self.has_lost_output

    def push(self, now: float) -> None:
        """Send pending output, unless the line is full. Stop after about one time slice. If there
        is no memory for it, `run` ends."""
        try:
            self.put_output(now)
        except MemoryError:
            self.has_lost_output = True
            self.wakeup.set()

    def put_output(self, now: float) -> None:
        """Put pending output on the line, unless it is full."""
        machine, seconds = self.machine, self.delay()
        if self.line.is_full(seconds):
            return
        self.due = now + PACE_SECONDS
        parts = [machine.data_to_send()]
        size = len(parts[0])
        while machine.ready and not machine.closed and size < SEND_BYTES:
            if trio.current_time() - now > STRETCH_SECONDS:
                break
            parts.append(machine.data_to_send())
            size += len(parts[-1])
        if size:
            self.line.put(b"".join(parts), seconds)

    async def run(self) -> None:
        """Push whenever `wakeup` is set. Raises BrokenResourceError if output was lost."""
        while not self.machine.closed:
            if self.has_lost_output:
                raise trio.BrokenResourceError("no memory is left for what is to be sent")
            if not self.is_due:
                await self.wakeup.wait()
            elif self.line.is_full(self.delay()):
                await self.line.drained.wait()
            elif (now := trio.current_time()) < self.due:
                await trio.sleep_until(self.due)
            else:
                self.push(now)
                await trio.lowlevel.checkpoint()  # a long snapshot is due again immediately

    async def finish(self, stream: trio.abc.Stream) -> None:
        """Send the last bytes of a machine that has closed, unless something is still on its way.
        What a handshake has put on the line is sent first: it names our version to another one.
        Nothing follows output that was lost."""
        if self.has_lost_output:
            return
        handshake = self.line.take(math.inf) if self.line.total <= HANDSHAKE_BYTES_MAX else b""
        if self.line.size == len(handshake):
            last = handshake + self.machine.data_to_send()
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
