"""One simulated region: the production database and its links, and whatever befalls them.

A site owns what a process owns: a replica, an instance with a client, the link machines and their
connections. It can lose all of that (a crash) and begin again, empty or from a kept snapshot, under
a new incarnation; it can stop for a while (a pause); and its wall clock is its own. It does what
`crdb.runtime` and `replication.link` do, in their order: take in what has come, serve whom that
concerns, close what was written into an operation, send.

After every such turn the checkers are shown what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.instance import Instance
from crdb.server.executor import receive
from crdb.staleness import Staleness
from crdt.dots import incarnation_of, make_origin
from crdt.op import Op
from crdt.replica import Replica
from replication.errors import RemoteProtocolError
from replication.events import EarlierLife, Event, OriginReused, Recovered
from replication.frames import Eof
from replication.links import Links
from replication.member import Direction, Member, Peer
from replication.source import Source
from sim.checkers.checker import Checker
from sim.client import Hand, Reply
from sim.clock import WallClock
from sim.dial import Dial, Exchange
from sim.dice import Dice
from sim.ledger import Entry, Ledger
from sim.mirror import Mirror
from sim.plan import CLUSTER, Tuning
from sim.report import Recorder
from sim.trace import Trace
from sim.wire import Machine, Wire

LIVES_MAX: Final = 1000  # of one region in one run


@attrs.frozen
class Surroundings:
    """What the sites of one world share."""

    exchange: Exchange
    dice: Dice
    trace: Trace
    ledger: Ledger
    checkers: tuple[Checker, ...]
    on_event: Callable[[str, Event, bool], None]
    """Told what the links of a region report, and whether an end that serves did."""
    recorder: Recorder | None = None


class Site:
    """A region."""

    def __init__(
        self,
        around: Surroundings,
        member: Member,
        peers: Sequence[Peer],
        *,
        tuning: Tuning,
        numbers: Sequence[int],
    ) -> None:
        """`member` says who the region is in its first life; `numbers` are those of all regions."""
        self.around = around
        self.engine = around.exchange.engine
        self.name = member.name
        self.number = member.region
        self.peers = tuple(peers)
        self.tuning = tuning
        self.numbers = tuple(numbers)
        self.clock = WallClock()
        self.life = 0
        self.incarnation = 0
        self.is_up = False
        self.paused_until = 0
        self.kept_back: list[Callable[[], None]] = []
        """What has come while the site was paused."""
        self.dials = {
            peer.name: Dial(
                self,
                peer.name,
                exchange=around.exchange,
                dice=around.dice.child(f"dial/{self.name}<{peer.name}"),
            )
            for peer in peers
            if peer.routes != ()
        }
        self.wires: list[Wire] = []
        self.unflushed: list[Wire] = []
        self.timer_at = 0
        self.sooner = False
        self.frames = 0
        self.damaged = 0
        self.writes = 0
        self.has_caught_up = True
        self.build(Replica(member.origin))

    def build(self, replica: Replica) -> None:
        """Put a replica and everything around it in place."""
        tuning = self.tuning
        self.replica = replica
        self.instance = Instance(
            replica, name=self.name, rng=self.around.dice.child(f"instance/{self.name}").rng
        )
        self.hand = Hand(self.instance)
        member = Member(self.name, self.number, replica.origin, CLUSTER)
        links = Links(replica, member, self.peers, limits=tuning.limits)
        if self.life > 1:
            links.cuts = self.links.cuts
        self.links = links
        self.links.sooner = self.note_sooner
        self.links.healed = self.kick
        self.staleness = Staleness(self.instance, links)
        self.mirror = Mirror(replica.keyspace)
        self.read_to = 0
        self.merges = 0

    # -- lives -----------------------------------------------------------------------------

    def boot(self, kept: Sequence[bytes] = (), is_amnesic: bool = False) -> None:
        """Begin a life; with `kept` from a snapshot of an earlier one. A region that `is_amnesic`
        does not even know how many lives it has had, but that this is not the first."""
        assert not self.is_up
        assert self.life < LIVES_MAX
        if self.life and not is_amnesic:
            self.incarnation = incarnation_of(self.replica.origin) + 1
        replica = Replica(
            make_origin(self.number, self.incarnation),
            members=self.numbers,
            history_bytes=self.tuning.history_bytes,
        )
        replica.gate.limit = self.tuning.waiting_bytes
        self.life += 1
        self.is_up = True
        self.build(replica)
        self.has_caught_up = self.life == 1
        if not self.has_caught_up:
            self.staleness.begin()
        self.advance()
        if kept:
            replica.merge(kept)
            self.mirror.soil()
        self.mirror.refresh()
        self.merges = replica.merges
        self.read_to = replica.history.stop
        self.note("boot", f"life {self.life}{' from a snapshot' if kept else ''}")
        for checker in self.around.checkers:
            checker.started(self)
        for dial in self.dials.values():
            dial.begin()
        self.arm(self.engine.now)

    def crash(self, survivors: Sequence[Site], is_silent: bool = False) -> None:
        """Lose everything in memory. Peers see their connections reset, or, if it is a silent
        crash, nothing at all."""
        assert self.is_up
        self.note("crash", "silent" if is_silent else "")
        for checker in self.around.checkers:
            checker.stopped(self, survivors)
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

    def snapshot(self) -> list[bytes]:
        """The whole state, as it would be kept on disk."""
        return list(self.replica.snapshot())

    def pause(self, until: int) -> None:
        """Do nothing until then: a stopped process, a long collection of garbage."""
        self.note("pause", f"{(until - self.engine.now) // 1_000_000} ms")
        self.paused_until = max(until, self.paused_until)
        self.engine.at(self.paused_until, self.wake_up)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is done now."""
        return self.engine.now < self.paused_until

    def wake_up(self) -> None:
        """Do what has been kept back."""
        if self.is_up and not self.is_paused:
            held, self.kept_back = self.kept_back, []
            for act in held:
                act()

    # -- turns -----------------------------------------------------------------------------

    def advance(self) -> None:
        """Tell the database what time it is by this region's clock."""
        self.instance.advance(self.clock.read(self.engine.now))

    def run(self, *commands: Sequence[str]) -> list[Reply]:
        """What a client of this region asks, and what it is told."""
        assert self.is_up
        self.advance()
        before = self.replica.vector
        replies = self.hand.send(*commands)
        for checker in self.around.checkers:
            checker.answered(self, commands, before)
        self.finish_turn()
        return replies

    def take(self, wire: Wire, data: bytes) -> None:
        """Bytes have come over a connection."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.take(wire, data))
            return
        machine = wire.machine
        serves = isinstance(machine, Source)
        if wire.on_message is not None:
            wire.arrived(len(data))
        try:
            frames = wire.decoder.feed(data)
            if not frames:
                return
            self.advance()
        except RemoteProtocolError as error:
            self.damaged += 1
            self.note("damaged", f"{machine.peer}: {error}")
            self.advance()
            self.report(self.links.broken(machine, error, self.engine.now), serves)
            frames = []
        now = self.engine.now
        for frame in frames:
            self.frames += 1
            self.report(self.links.receive(machine, frame, now), serves)
            self.seal()
        self.finish_turn()

    def lose(self, wire: Wire, reason: str) -> None:
        """A connection has ended."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.lose(wire, reason))
            return
        self.advance()
        events = self.links.receive(wire.machine, Eof(reason), self.engine.now)
        self.report(events, isinstance(wire.machine, Source))
        self.finish_turn()

    def tick(self) -> None:
        """Do what is due."""
        if not self.is_up or self.engine.now < self.timer_at:
            return
        if self.is_paused:
            self.engine.at(self.paused_until, self.tick)
            return
        self.timer_at = 0
        now = self.engine.now
        self.advance()
        if now >= self.links.promised:
            self.report(self.links.tick(now))
        waiting = self.instance.waiting
        if waiting.by_client:
            waiting.expire(self.instance.now)
        self.finish_turn()
        self.arm(self.links.promised)

    def arm(self, deadline: int) -> None:
        """Have `tick` called at `deadline`, unless it will be called earlier."""
        now = self.engine.now
        deadline = max(deadline, now)
        if not now < self.timer_at <= deadline:
            self.timer_at = max(deadline, now + 1)
            self.engine.at(self.timer_at, self.tick)

    def finish_turn(self) -> None:
        """What follows from all that: for clients, for the links, for the checkers."""
        instance = self.instance
        if self.replica.keyspace.touched or instance.woken:
            instance.serve_touched()
            while instance.woken:
                woken = instance.woken.pop()
                assert woken is self.hand.client, "there is no other"
                self.hand.late += receive(self.hand.client, b"")
        self.seal()
        self.look()
        if self.sooner:
            self.sooner = False
            self.arm(self.links.promised)
        while self.unflushed:
            wire = self.unflushed.pop()
            wire.flush(self.engine.now)
            if wire.over and wire in self.wires:
                self.wires.remove(wire)

    def seal(self) -> None:
        """Close what was written into an operation, and let the links know."""
        if self.replica.keyspace.outbox:
            op = self.replica.seal()
            assert op is not None
            self.enter(op)
            self.links.wake()

    def enter(self, op: Op) -> Entry:
        """Put an operation of ours into the books."""
        self.writes += 1
        entry = self.around.ledger.enter(op, self.engine.now)
        for checker in self.around.checkers:
            checker.made(self, entry)
        return entry

    def look(self) -> None:
        """Show the checkers what has changed."""
        replica = self.replica
        if not self.mirror.dirty and replica.merges == self.merges:
            return
        history = replica.history
        checkers = self.around.checkers
        has_jumped = replica.merges != self.merges or self.read_to < history.start
        if replica.merges != self.merges:
            self.merges = replica.merges
            self.mirror.soil()
        start = max(self.read_to, history.start)
        for origin, first, _, data in history.read(start, history.stop - start):
            entry = self.around.ledger.find(origin, first)
            if origin == replica.origin:
                if entry is None or entry.data != data:
                    self.enter(Op.from_bytes(data))
                continue
            if entry is None or entry.data != data:
                entry = Entry(Op.from_bytes(data), self.engine.now, -1)
            for checker in checkers:
                checker.met(self, entry)
                if not has_jumped:
                    checker.applied(self, entry)
        if has_jumped:
            for checker in checkers:
                checker.jumped(self)
        self.read_to = history.stop
        changes = self.mirror.refresh()
        for checker in checkers:
            checker.turned(self, changes)

    # -- connections -----------------------------------------------------------------------

    def serve(self) -> Wire:
        """Somebody has connected."""
        wire = self.attach(self.links.serve(self.engine.now))
        self.finish_turn()
        return wire

    def call(self, peer: str) -> Wire | None:
        """We have connected to a peer; None if that is cut by now."""
        if self.is_cut(peer):
            return None
        wire = self.attach(self.links.dial(peer, self.engine.now))
        self.finish_turn()
        return wire

    def attach(self, machine: Machine) -> Wire:
        """Run one end of a connection."""
        wire = Wire(machine)
        machine.notify = lambda: self.unflushed.append(wire)
        if self.around.recorder is not None:
            wire.on_message = partial(self.record, wire)
        self.wires.append(wire)
        self.unflushed.append(wire)
        return wire

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
        self.links.missed(peer)

    def is_cut(self, peer: str) -> bool:
        """Whether an administrator has cut the link from `peer` to here."""
        return self.links.is_cut(peer, Direction.IN)

    # -- telling ---------------------------------------------------------------------------

    def note_sooner(self) -> None:
        """The links want their `tick` earlier than they said."""
        self.sooner = True

    def note(self, what: str, detail: str = "") -> None:
        """Put something into the trace."""
        self.around.trace.note(self.engine.now, self.name, what, detail)

    def report(self, events: list[Event], serves: bool = False) -> None:
        """Hand on what the links say. Whoever restarts reads only until its peers have brought it
        up to date, as `crdb.region` has it (rule STL-1); who hears of writes of its own that it
        does not know takes another incarnation."""
        for event in events:
            if isinstance(event, Recovered) and not self.has_caught_up:
                self.has_caught_up = True
                self.staleness.end()
                self.note("caught up", event.peer)
            elif isinstance(event, EarlierLife):
                self.has_caught_up = False
                self.staleness.begin()
            elif isinstance(event, OriginReused):
                self.has_caught_up = False
                self.staleness.begin()
                assert event.origin == self.replica.origin
                self.links.reincarnate(self.engine.now)
            self.around.on_event(self.name, event, serves)
