"""Driver: the streams and the clock of one replica's links.

Each connection is a `LinkConnection`, which `stream` runs. It carries the link of the replica's
slot group, which is 0 where the database is not sharded. The deadlines of all links are kept by one
task, `keep_time`.

A connection carries nothing before both ends have proved that they know `secret` (see `channel`).
Without a secret both ends must have loopback addresses.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from replication.drivers.delayed_writer import WakeupEvent
from replication.drivers.stream import LOST, StreamDriver, clock
from replication.drivers.writer import Writer, address_of
from replication.machines.connections.connection import LinkConnection
from replication.machines.connections.multiplexer import GroupEvent
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.backoff import CONNECT_NS_MAX, Backoff, was_accepted
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.frames import Eof
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.peers import Direction
from replication.protocol.secret import NO_SECRET, LinkSecret, is_loopback

ALIEN: Final = (
    "no secret is set here, so links stay within this machine; set the same `secret` (or "
    "`secret_file`, or CRDB_SECRET) at both ends"
)


def failure_text(error: Exception) -> str:
    """Return why an attempt to connect failed. Some errors have no text of their own."""
    if isinstance(error, trio.TooSlowError):
        return f"no answer within {CONNECT_NS_MAX // 1_000_000_000} seconds"
    text = str(error) or type(error).__name__
    # trio names the address only. Each of its attempts has a reason.
    attempts: tuple[Exception, ...] = getattr(error.__cause__, "exceptions", ())
    reasons = {os.strerror(e.errno) for e in attempts if isinstance(e, OSError) and e.errno}
    return f"{text}: {', '.join(sorted(reasons))}" if reasons else text


Connect = Callable[[], Awaitable[trio.abc.Stream]]
Observe = Callable[[list[Event]], None]


@attrs.define
class Driver:
    """Runs the links of one replica. `observe` gets all events, `delay_ns` returns the delay that
    is imitated on the way to a peer, and `secret` is what both ends of each link must know.

    `read_clocks` advances the replica to the wall clock. It is called before anything is received
    or due, since a busy process may have read its clock a long time ago.
    """

    links: Links
    rng: random.Random
    observe: Observe
    delay_ns: Callable[[str], int] = lambda _peer: 0
    secret: LinkSecret = attrs.field(kw_only=True, default=NO_SECRET)
    read_clocks: Callable[[], None] = attrs.field(kw_only=True, default=lambda: None)
    examine_new: Callable[[], None] = attrs.field(kw_only=True, default=lambda: None)
    """Lets Python's collector examine new objects (see `stream`)."""
    kicks: dict[str, WakeupEvent] = attrs.field(init=False)
    rearmed: WakeupEvent = attrs.field(init=False, factory=WakeupEvent)
    writers: list[Writer] = attrs.field(init=False, factory=list[Writer])

    def __attrs_post_init__(self) -> None:
        self.kicks = {peer: WakeupEvent() for peer in self.links.peers}
        self.links.on_rearm = self.rearmed.set
        self.links.healed = lambda peer: self.kicks[peer].set()

    def push(self) -> None:
        """Send what can go immediately, since the history has grown; the tasks do the rest."""
        now = trio.current_time()
        for writer in self.writers:
            if writer.is_due:
                writer.push(now)
        self.links.wake()

    async def keep_time(self) -> None:
        """Call `tick` when it is due, until cancelled."""
        while True:
            self.read_clocks()
            self.observe(self.links.tick(clock()))
            with trio.move_on_at(self.links.deadline / 1e9):
                await self.rearmed.wait()

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
        """Run one connection to its end. Return whether the peer has accepted it."""
        begun = clock()
        sink = self.links.dial(peer, begun)
        try:
            with trio.fail_after(CONNECT_NS_MAX / 1e9):
                stream = await connect()
        except (trio.TooSlowError, UnicodeError, *LOST) as error:  # no name of a host: Unicode
            reason = f"cannot connect: {failure_text(error)}"
            self.observe(self.links.receive(sink, Eof(reason), clock()))
            return False
        await self.run(stream, sink, Role.DIALS)
        is_greeted, is_refused = sink.hello is not None, sink.is_refused
        return was_accepted(clock() - begun, is_greeted=is_greeted, is_refused=is_refused)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve a connection that has come in, to its end."""
        end = self.links.serve(clock(), address_of(stream))
        await self.run(stream, end, Role.SERVES)

    async def run(self, stream: trio.abc.Stream, end: Machine, role: Role) -> None:
        """Run one end of a link until it closes."""
        if not self.secret.is_set and not is_local(stream):
            self.refuse_stranger(stream, end)
            await trio.aclose_forcefully(stream)
            return
        connection = LinkConnection(Channel(self.secret, role, os.urandom(NONCE_BYTES)))
        connection.attach(self.links.replica.group, end, self.links)
        driver = StreamDriver(
            connection,
            stream,
            self.observe_group,
            delay=lambda: self.delay_ns(end.peer) / 1e9,
            read_clocks=self.read_clocks,
            examine_new=self.examine_new,
            writers=self.writers,
        )
        await driver.run()

    def refuse_stranger(self, stream: trio.abc.Stream, end: Machine) -> None:
        """Close a connection from another machine, without sending our challenge."""
        if address_of(stream):
            self.observe(self.links.refuse(end, RemoteProtocolError(ALIEN), clock()))
        else:  # it has hung up already, so nobody knows from where it came
            self.observe(self.links.receive(end, Eof("connection lost"), clock()))

    def observe_group(self, events: list[GroupEvent]) -> None:
        """Report the events of a connection."""
        self.observe([event for _, event in events])


def is_local(stream: trio.abc.Stream) -> bool:
    """Return whether the other end is on this machine."""
    return not isinstance(stream, trio.SocketStream) or is_loopback(address_of(stream))
