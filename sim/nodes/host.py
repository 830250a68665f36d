"""One simulated process: its clock, its connections, its turns, its pauses.

What runs in it is a region (`site`) or a follower (`follower`): each brings its replica and the
links of it. A process does what `crdb.region.runtime` and `replication.drivers.stream` do, in their
order: take in what has come, serve whom that concerns, close what was written into an operation,
send.

After every such turn the checkers are shown what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.commands.table import build_table
from crdb.engine.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import Config as Parameters
from crdt.embed.replica import Replica
from replication.machines.source import Source
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.peers import Direction
from replication.protocol.secret import NO_SECRET, LinkSecret
from sim.engine.checker import Checker, Violation
from sim.engine.clock import WallClock
from sim.engine.events import MS
from sim.engine.rng import Dice
from sim.engine.trace import Trace
from sim.network.dial import Dial, Exchange
from sim.network.wire import Machine, Wire
from sim.nodes.client import Hand, Reply, parse
from sim.nodes.ledger import Ledger
from sim.nodes.mirror import Mirror
from sim.nodes.session import Session
from sim.report.report import Recorder
from sim.schedule.plan import Tuning
from sim.schedule.step import Words

CATCH_UP_NS: Final = 100 * MS  # after a pause, in which what is overdue is done
NEVER: Final = 1 << 62
OVERDUE_MAX: Final = 1000  # no time would pass any more, and a server would do nothing else


@attrs.frozen
class Surroundings:
    """What the processes of one world share."""

    exchange: Exchange
    dice: Dice
    trace: Trace
    ledger: Ledger
    checkers: tuple[Checker, ...]
    on_event: Callable[[str, Event], None]
    """Told what the links of a process report."""
    recorder: Recorder | None = None
    secret: LinkSecret = NO_SECRET


@attrs.frozen
class Talk:
    """A connection of a session."""

    session: Session
    hand: Hand


class Host:
    """A process. A kind of it says what `seal`, `look`, `report` and `dialling` do."""

    instance: Instance
    replica: Replica
    mirror: Mirror
    links: Links
    """Over which others are served."""

    def __init__(
        self, around: Surroundings, name: str, peers: Iterable[str], *, tuning: Tuning
    ) -> None:
        """`peers` are those that it dials."""
        self.around = around
        self.engine = around.exchange.engine
        self.name = name
        self.tuning = tuning
        self.clock = WallClock()
        self.life: int = 0
        self.is_up = False
        self.paused_until = 0
        self.kept_back: list[Callable[[], None]] = []
        """What has come while the process was paused."""
        self.dials = {
            peer: Dial(
                self, peer, exchange=around.exchange, dice=around.dice.child(f"dial/{name}<{peer}")
            )
            for peer in peers
        }
        self.nonces = around.dice.child(f"nonces/{name}")
        self.wires: list[Wire] = []
        self.unflushed: list[Wire] = []
        self.timer_at = 0
        self.overdue = 0
        """How often in a row something was still due when all that was due had been done."""
        self.sooner = False
        self.frames = 0
        self.damaged = 0
        self.rejected: int = 0
        """Connections that a wrong frame has ended."""

    # -- what the kinds bring --------------------------------------------------------------

    @property
    def dialling(self) -> Links:
        """The links that dial others."""
        return self.links

    def seal(self) -> None:
        """Close what was written into an operation, and let the links know."""
        raise NotImplementedError

    def look(self) -> None:
        """Show the checkers what has changed."""
        raise NotImplementedError

    def report(self, events: list[Event]) -> None:
        """Hand on what the links say, and do what follows."""
        raise NotImplementedError

    def asking(self, session: int, commands: Sequence[Words]) -> None:
        """Let the checkers know what a client is about to send."""

    def replied(self, session: int, commands: Sequence[Words], replies: Sequence[Reply]) -> None:
        """Show the checkers what a client was told."""

    def woke(self, session: int, command: Words, reply: Reply) -> None:
        """Show the checkers what a client was told that had to wait."""

    def links_of(self, machine: Machine) -> Links:
        """Those that one end of a connection belongs to."""
        return self.links if isinstance(machine, Source) else self.dialling

    def all_links(self) -> tuple[Links, ...]:
        """Those over which others are served, and those that dial; mostly the same."""
        return (self.links,) if self.links is self.dialling else (self.links, self.dialling)

    def promised(self) -> int:
        """When the links want to be looked after."""
        promised = self.links.promised
        dialling = self.dialling
        return promised if dialling is self.links else min(promised, dialling.promised)

    # -- lives -----------------------------------------------------------------------------

    def furnish(self, replica: Replica) -> None:
        """Put a replica, and a client who uses it, in place."""
        self.replica = replica
        serves_stale = "no" if self.tuning.refuses_stale else "yes"
        self.instance = Instance(
            replica,
            build_table(),
            name=self.name,
            config=Parameters({"replica-serve-stale-data": serves_stale}),
            rng=self.around.dice.child(f"instance/{self.name}").rng,
        )
        self.hand = Hand(self.instance)
        self.talks: dict[int, Talk] = {}
        self.mirror = Mirror(replica.keyspace)
        self.read_to = 0
        self.merges = 0
        self.gate = replica.gate

    def watch(self, links: Links) -> None:
        """Be told when links want something."""
        links.sooner = self.note_sooner
        links.healed = self.kick

    def begin(self) -> None:
        """Dial, and keep time."""
        for dial in self.dials.values():
            dial.begin()
        self.arm(self.engine.now)

    def end(self, is_silent: bool) -> None:
        """Lose everything in memory. Peers see their connections reset, or, if `is_silent`,
        nothing at all."""
        assert self.is_up
        self.is_up = False
        self.kept_back.clear()
        self.paused_until = 0
        for dial in self.dials.values():
            dial.give_up()
        for wire in self.wires:
            wire.over = True
            if wire.out is not None:
                wire.out.cut_off("" if is_silent else "connection reset by peer")
        self.wires.clear()
        self.unflushed.clear()

    def pause(self, until: int) -> None:
        """Do nothing until then: a stopped process, a long collection of garbage."""
        self.note("pause", f"{(until - self.engine.now) // MS} ms")
        self.paused_until = max(until, self.paused_until)
        self.engine.at(self.paused_until, self.wake_up)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is done now."""
        return self.engine.now < self.paused_until

    @property
    def now_ms(self) -> int:
        """The time in ms by the clock that nobody sets, as of the present turn."""
        return self.instance.now

    @property
    def has_waiters(self) -> bool:
        """True if a client waits for something."""
        return bool(self.instance.blocked.by_client)

    @property
    def was_paused(self) -> bool:
        """True if nothing is done now, or was until a moment ago."""
        return self.engine.now < self.paused_until + CATCH_UP_NS

    def wake_up(self) -> None:
        """Do what has been kept back."""
        if self.is_up and not self.is_paused:
            held, self.kept_back = self.kept_back, []
            for act in held:
                act()

    # -- turns -----------------------------------------------------------------------------

    def advance(self) -> None:
        """Tell the database what time it is by this process's clock."""
        keyspace = self.replica.keyspace
        before = keyspace.horizon
        self.instance.advance(self.engine.now // MS, self.clock.read(self.engine.now))
        if keyspace.horizon < before:
            for checker in self.around.checkers:
                checker.set_back(self.name, keyspace, before)

    def ask(self, *commands: Sequence[str]) -> list[Reply]:
        """What a client asks, and what it is told. `finish_turn` is to follow."""
        assert self.is_up
        self.advance()
        return self.hand.send(*commands)

    def connect(self, session: Session) -> Hand:
        """Return a new connection for a session."""
        hand = Hand(self.instance)
        self.talks[hand.client.id] = Talk(session, hand)
        return hand

    def disconnect(self, hand: Hand) -> None:
        """Close a session's connection."""
        del self.talks[hand.client.id]
        self.instance.forget(hand.client)

    def converse(self, session: Session, commands: Sequence[Words]) -> list[Reply]:
        """Carry out what a session sends at once. Return the replies that come at once."""
        assert self.is_up
        assert session.hand is not None
        self.advance()
        self.asking(session.number, commands)
        replies = session.hand.send(*commands)
        for words, reply in zip(commands, replies, strict=False):
            session.note(words, reply)
        session.waiting = commands[len(replies)] if len(replies) < len(commands) else None
        self.replied(session.number, commands, replies)
        self.finish_turn()
        return replies

    def wake(self, talk: Talk) -> None:
        """A session's connection has something to say."""
        session = talk.session
        for reply in parse(receive(talk.hand.client, b"")):
            command, session.waiting = session.waiting, None
            assert command is not None, "one command waits at a time, and no other follows it"
            session.note(command, reply)
            self.note("woken", f"session {session.number}: {' '.join(command)}")
            self.woke(session.number, command, reply)

    def take(self, wire: Wire, data: bytes) -> None:
        """Bytes have come over a connection."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.take(wire, data))
            return
        machine = wire.machine
        wire.arrived(len(data))
        try:
            was_proven = wire.channel.is_proven
            frames = wire.channel.receive(data)
            if not frames:
                machine.note_bytes(self.engine.now)
            if not was_proven:
                self.unflushed.append(wire)
            elif not frames:
                self.check_bad(wire)
                return
            self.advance()
        except RemoteProtocolError as error:
            self.damaged += 1
            self.note("damaged", f"{machine.peer}: {error}")
            self.advance()
            self.spoil(wire, error)
            frames = []
        now = self.engine.now
        for frame in frames:
            self.frames += 1
            self.report(self.links_of(machine).receive(machine, frame, now))
            self.seal()
        self.finish_turn()
        self.check_bad(wire)

    def check_bad(self, wire: Wire) -> None:
        """A wrong frame that has come must have ended its connection. Raises Violation."""
        far = wire.far
        if far is not None and 0 <= far.bad_until <= wire.received and not far.is_garbled:
            if not wire.over:
                raise Violation(
                    "bad frames", f"{self.name} goes on after a wrong frame of {wire.peer}"
                )
            self.rejected += 1

    def spoil(self, wire: Wire, error: RemoteProtocolError) -> None:
        """End a connection over which something came that was not in order."""
        links = self.links_of(wire.machine)
        fail = links.broken if wire.channel.is_proven else links.refuse
        self.report(fail(wire.machine, error, self.engine.now))

    def lose(self, wire: Wire, reason: str) -> None:
        """A connection has ended."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.lose(wire, reason))
            return
        self.advance()
        try:
            for frame in wire.channel.end(reason):
                links = self.links_of(wire.machine)
                self.report(links.receive(wire.machine, frame, self.engine.now))
        except RemoteProtocolError as error:
            self.spoil(wire, error)
        self.finish_turn()

    def tick(self) -> None:
        """Do what is due."""
        if self.engine.now < self.timer_at:
            return
        if not self.is_up:
            self.timer_at = 0
            return
        if self.is_paused:
            self.engine.at(self.paused_until, self.tick)
            return
        self.timer_at = 0
        now = self.engine.now
        self.advance()
        for links in self.all_links():
            if now >= links.promised:
                self.report(links.tick(now))
        if self.instance.blocked.by_client:
            self.instance.tick()
        self.finish_turn()
        due = min(self.promised(), self.clients_due())
        self.overdue = self.overdue + 1 if due <= now else 0
        if self.overdue > OVERDUE_MAX:
            raise Violation("liveness", f"{self.name} is woken for what it does not do")
        self.arm(due)

    def clients_due(self) -> int:
        """The time at which a blocked client gives up or must be looked at again, in ns."""
        blocked, polling = self.instance.blocked, self.instance.polling
        due = [at for at in (blocked.deadline, polling.deadline) if at is not None]
        return min(due) * MS if due else NEVER

    def arm(self, deadline: int) -> None:
        """Have `tick` called at `deadline`, unless it will be called earlier, perhaps at this very
        time."""
        now = self.engine.now
        deadline = max(deadline, now)
        if not (self.timer_at and now <= self.timer_at <= deadline):
            self.timer_at = max(deadline, now + 1)
            self.engine.at(self.timer_at, self.tick)

    def finish_turn(self) -> None:
        """What follows from all that: for clients, for the links, for the checkers."""
        instance = self.instance
        if self.replica.keyspace.touched or instance.woken:
            instance.serve_touched()
            while instance.woken:
                woken = instance.woken.pop()
                if woken is self.hand.client:
                    self.hand.late += receive(self.hand.client, b"")
                else:
                    self.wake(self.talks[woken.id])
        self.seal()
        self.look()
        if instance.blocked.by_client:
            self.arm(self.clients_due())
        if self.sooner:
            self.sooner = False
            self.arm(self.promised())
        while self.unflushed:
            wire = self.unflushed.pop()
            wire.flush(self.engine.now)
            if wire.over and wire in self.wires:
                self.wires.remove(wire)

    # -- connections -----------------------------------------------------------------------

    def serve(self) -> Wire:
        """Somebody has connected."""
        wire = self.attach(self.links.serve(self.engine.now), Role.SERVES)
        self.finish_turn()
        return wire

    def call(self, peer: str) -> Wire | None:
        """We have connected to a peer; None if that is cut by now."""
        if self.is_cut(peer):
            return None
        wire = self.attach(self.dialling.dial(peer, self.engine.now), Role.DIALS)
        self.finish_turn()
        return wire

    def attach(self, machine: Machine, role: Role) -> Wire:
        """Run one end of a connection."""
        nonce = self.nonces.rng.randbytes(NONCE_BYTES)
        wire = Wire(machine, Channel(self.around.secret, role, nonce))
        machine.notify = lambda: self.unflushed.append(wire)
        wire.rest_ns = self.tuning.snapshot_rest_ns
        wire.on_rested = partial(self.go_on, wire)
        if self.around.recorder is not None:
            wire.on_message = partial(self.record, wire)
        self.wires.append(wire)
        self.unflushed.append(wire)
        return wire

    def go_on(self, wire: Wire) -> None:
        """There is room for more of a snapshot."""
        if self.is_paused:
            self.kept_back.append(partial(self.go_on, wire))
        elif self.is_up and not wire.over:
            self.advance()
            self.unflushed.append(wire)
            self.finish_turn()

    def record(self, wire: Wire, sent: int, text: str, has_come: bool) -> None:
        """Tell the recorder of a message to us, which has come or never will."""
        recorder = self.around.recorder
        assert recorder is not None
        tell = recorder.message if has_come else recorder.lost
        tell(sent, self.engine.now, (wire.peer, self.name), text)

    def kick(self, peer: str) -> None:
        """The link with `peer` was healed: dial at once."""
        self.dials[peer].kick()

    def miss(self, peer: str) -> None:
        """A peer could not be reached."""
        self.dialling.missed(peer)

    def is_cut(self, peer: str) -> bool:
        """Whether an administrator has cut the link from `peer` to here."""
        return self.dialling.is_cut(peer, Direction.IN)

    # -- telling ---------------------------------------------------------------------------

    def note_sooner(self) -> None:
        """The links want their `tick` earlier than they said."""
        self.sooner = True

    def note(self, what: str, detail: str = "") -> None:
        """Put something into the trace."""
        self.around.trace.note(self.engine.now, self.name, what, detail)
