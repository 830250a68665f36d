"""Driver: the streams and the clock of one replica's links.

One nursery per connection, with a task that reads and a task that writes. A stream may be anything
that trio calls one; TCP and TLS are the caller's choice. Reading stops when the link closes; a send
is never given up while the link lives. The machines' deadlines are kept by one task, `keep_time`.

What an end has to say goes out at once if it has rested, else together with what comes within
`PACE_SECONDS`; and whenever the owner says `push`, which costs no task switch. See `line` for the
delay that imitates a long way.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from replication.backoff import CONNECT_NS_MAX, Backoff
from replication.codec import FrameDecoder, encode_all
from replication.errors import RemoteProtocolError
from replication.events import Event
from replication.frames import Eof
from replication.line import Bell, Line
from replication.links import Links, Machine
from replication.member import Direction

PACE_SECONDS: Final = 0.000_5
SEND_BYTES: Final = 1 << 20  # put into one call, so that the other links get their turn
STRETCH_SECONDS: Final = 0.001  # spent on gathering before others get their turn
FAREWELL_SECONDS_MAX: Final = 0.2  # for the last frame of a link that has closed
LOST: Final = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


@attrs.define(eq=False)
class Writer:
    """Puts on the line what one end of a link has to say, but leaves its last frame to `run`."""

    end: Machine
    line: Line
    delay_ns: Callable[[str], int]
    bell: Bell = attrs.field(factory=Bell)
    due: float = 0.0

    def push(self, now: float) -> None:
        """Put on the line what there is, if there is room; about a stretch of it."""
        end, seconds = self.end, self.delay_ns(self.end.peer) / 1e9
        if self.line.is_full(seconds):
            return
        self.due = now + PACE_SECONDS
        data = encode_all(end.frames_to_send())
        while end.ready and not end.closed and len(data) < SEND_BYTES:
            if trio.current_time() - now > STRETCH_SECONDS:
                break
            data += encode_all(end.frames_to_send())
        if data:
            self.line.put(data, seconds)

    async def run(self) -> None:
        """Push whenever the bell rings."""
        while not self.end.closed:
            if not self.end.ready:
                await self.bell.wait()
            elif self.line.is_full(self.delay_ns(self.end.peer) / 1e9):
                await self.line.drained.wait()
            elif (now := trio.current_time()) < self.due:
                await trio.sleep_until(self.due)
            else:
                self.push(now)
                await trio.lowlevel.checkpoint()  # a long snapshot is due again at once


Connect = Callable[[], Awaitable[trio.abc.Stream]]
Observe = Callable[[list[Event]], None]


def clock() -> int:
    """Nanoseconds of the monotone clock that trio's tasks live by."""
    return round(trio.current_time() * 1e9)


@attrs.define
class Driver:
    """Runs the links of one replica. `observe` gets all events, `delay_ns` says how long the way
    to a peer is made."""

    links: Links
    rng: random.Random
    observe: Observe
    delay_ns: Callable[[str], int] = lambda _peer: 0
    kicks: dict[str, Bell] = attrs.field(init=False)
    sooner: Bell = attrs.field(init=False, factory=Bell)
    writers: list[Writer] = attrs.field(init=False, factory=list[Writer])

    def __attrs_post_init__(self) -> None:
        self.kicks = {peer: Bell() for peer in self.links.peers}
        self.links.sooner = self.sooner.ring
        self.links.healed = lambda peer: self.kicks[peer].ring()

    def push(self) -> None:
        """The history has grown: send what can go at once, leave the rest to the links' tasks."""
        now = trio.current_time()
        for writer in self.writers:
            if writer.end.ready and not writer.end.closed:
                writer.push(now)
        self.links.wake()

    async def keep_time(self) -> None:
        """Call `tick` when it is due, until cancelled."""
        while True:
            self.observe(self.links.tick(clock()))
            with trio.move_on_at(self.links.deadline / 1e9):
                await self.sooner.wait()

    async def keep_dialling(self, peer: str, connect: Connect) -> None:
        """Keep a link from `peer` to us, until cancelled: dial, run, and dial again."""
        backoff = Backoff(self.rng)
        while True:
            if self.links.is_cut(peer, Direction.IN):
                await self.kicks[peer].wait()
                continue
            if await self.dial(peer, connect):
                backoff.reset()
            with trio.move_on_after(backoff.wait_ns() / 1e9):
                await self.kicks[peer].wait()

    async def dial(self, peer: str, connect: Connect) -> bool:
        """One connection, to its end; whether there was one on which both sides had greeted."""
        sink = self.links.dial(peer, clock())
        try:
            with trio.fail_after(CONNECT_NS_MAX / 1e9):
                stream = await connect()
        except (trio.TooSlowError, UnicodeError, *LOST) as error:  # no name of a host: Unicode
            self.links.receive(sink, Eof(f"cannot connect: {error}"), clock())
            return False
        await self.run(stream, sink)
        return sink.hello is not None

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve a connection that has come in, to its end."""
        await self.run(stream, self.links.serve(clock()))

    async def run(self, stream: trio.abc.Stream, end: Machine) -> None:
        """Run one end of a link until it closes."""
        line = Line(stream)
        writer = Writer(end, line, self.delay_ns)
        scope = trio.CancelScope()

        def notify() -> None:
            if end.ready:
                writer.bell.ring()
            if end.closed:
                scope.cancel()

        end.notify = notify
        notify()  # it may have been cut while it was being connected
        self.writers.append(writer)
        try:
            with scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.guard, end, line.run)
                    nursery.start_soon(self.guard, end, writer.run)
                    await self.guard(end, lambda: self.read(stream, end))
        finally:
            self.writers.remove(writer)
            self.observe(self.links.receive(end, Eof("we hang up"), clock()))
            with trio.CancelScope(deadline=trio.current_time() + FAREWELL_SECONDS_MAX, shield=True):
                if not line.size:
                    await self.guard(end, lambda: stream.send_all(encode_all(end.frames_to_send())))
            await trio.aclose_forcefully(stream)

    async def guard(self, end: Machine, act: Callable[[], Awaitable[None]]) -> None:
        """Take a broken stream for the end of the stream."""
        try:
            await act()
        except LOST as error:
            self.observe(self.links.receive(end, Eof(str(error) or "connection lost"), clock()))

    async def read(self, stream: trio.abc.Stream, end: Machine) -> None:
        """Take in what comes."""
        decoder = FrameDecoder()
        while not end.closed:
            data = await stream.receive_some()
            try:
                for frame in decoder.feed(bytes(data)) if data else [Eof()]:
                    self.observe(self.links.receive(end, frame, clock()))
            except RemoteProtocolError as error:
                self.observe(self.links.broken(end, error, clock()))
