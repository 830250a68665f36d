"""Driver: run a pure machine over a stream.

It runs every object with the interface of a `StreamMachine`
(`replication.machines.connections.contract`), over any stream of trio. There is a task that reads,
one that writes, and one that keeps the machine's deadline. Reading stops when the machine closes. A
send is never given up before that.

See `writer` for when something is sent, and `delayed_writer` for the delay that imitates a long
way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import trio

from replication.drivers.delayed_writer import Line, WakeupEvent
from replication.drivers.writer import Writer
from replication.machines.connections.contract import StreamMachine

SLICE_NS: Final = 1_000_000
"""The time after which other tasks run while messages that have come are processed."""
EXAMINE_BYTES: Final = 32 << 10
FAREWELL_SECONDS_MAX: Final = 0.2  # for the last bytes of a machine that has closed
LOST: Final = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)
NO_MEMORY: Final = "no memory is left for what comes"

Observe = Callable[[list[Any]], None]


def clock() -> int:
    """Return the time of trio's monotone clock, in nanoseconds."""
    return round(trio.current_time() * 1e9)


@attrs.define(eq=False)
class StreamDriver:
    """Runs one machine over one stream. `observe` gets all events. `delay` returns the seconds for
    which bytes are held back, and `read_clocks` is called before anything is received."""

    machine: StreamMachine[Any]
    stream: trio.abc.Stream
    observe: Observe
    delay: Callable[[], float] = lambda: 0.0
    read_clocks: Callable[[], None] = lambda: None
    examine_new: Callable[[], None] = lambda: None
    """Lets Python's collector examine new objects. Called after each `EXAMINE_BYTES`, since what
    was read from them may refer to much."""
    unexamined: int = attrs.field(init=False, default=0)
    """The bytes received since then."""
    writers: list[Writer] = attrs.field(factory=list[Writer])
    """Holds the writer of this driver while it runs. The drivers of several connections share it,
    if their owner pushes to all."""
    rearmed: WakeupEvent = attrs.field(init=False, factory=WakeupEvent)
    armed: int = attrs.field(init=False, default=0)
    """The deadline that `keep_time` waits for."""

    async def run(self) -> None:
        """Run the machine until it closes."""
        line = Line(self.stream)
        writer = Writer(self.machine, line, self.delay)
        scope = trio.CancelScope()

        def notify() -> None:
            if self.machine.ready:
                writer.wakeup.set()
            if self.machine.closed:
                scope.cancel()

        async def write() -> None:
            await self.guard(writer.run)
            scope.cancel()

        self.machine.start(notify)
        notify()  # it may have closed while it was being connected
        self.writers.append(writer)
        try:
            with scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.guard, line.run)
                    nursery.start_soon(write)
                    nursery.start_soon(self.keep_time)
                    await self.guard(self.read)
                    nursery.cancel_scope.cancel()
        finally:
            self.writers.remove(writer)
            self.observe(self.machine.hang_up("we hang up", clock()))
            with trio.CancelScope(deadline=trio.current_time() + FAREWELL_SECONDS_MAX, shield=True):
                await self.guard(lambda: writer.finish(self.stream))
            await trio.aclose_forcefully(self.stream)

    async def guard(self, act: Callable[[], Awaitable[None]]) -> None:
        """Treat a broken stream, or a lack of memory, as the end of the stream."""
        try:
            await act()
        except MemoryError:
            self.observe(self.machine.hang_up(NO_MEMORY, clock()))
        except LOST as error:
            self.observe(self.machine.hang_up(str(error) or "connection lost", clock()))

    async def read(self) -> None:
        """Receive until the machine closes."""
        while not self.machine.closed:
            try:
                data = await self.stream.receive_some(self.machine.read_bytes_max)
            except LOST as error:
                self.observe(self.machine.end(str(error) or "connection lost", clock()))
                continue
            if data:
                await self.receive(bytes(data))
            else:
                self.observe(self.machine.end("", clock()))
            data = b""  # keep nothing large while waiting for more

    async def receive(self, data: bytes) -> None:
        """Hand bytes to the machine, message by message. Let other tasks run in between after each
        time slice."""
        machine = self.machine
        self.read_clocks()
        began = clock()
        self.observe(machine.receive(data, began))
        while machine.pending:
            if clock() - began > SLICE_NS:
                await trio.lowlevel.checkpoint()
                began = clock()
            self.read_clocks()
            self.observe(machine.receive(b"", clock()))
        self.unexamined += len(data)
        if self.unexamined >= EXAMINE_BYTES:
            self.unexamined = 0
            self.examine_new()
        if machine.deadline < self.armed:
            self.rearmed.set()

    async def keep_time(self) -> None:
        """Call `tick` when it is due, until cancelled."""
        machine = self.machine
        while True:
            self.armed = machine.deadline
            with trio.move_on_at(self.armed / 1e9):
                await self.rearmed.wait()
            if clock() >= machine.deadline:
                self.observe(machine.tick(clock()))
