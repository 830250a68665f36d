"""A world: regions, the network between them, and one virtual time.

    world = World(Plan.of(["us-east-1", "eu-west-1", "ap-southeast-1"]), seed=7)
    world.run("us-east-1", "SADD", "cart", "milk")
    world.cut("us-east-1", "eu-west-1")
    world.sleep(10 * SECOND)
    world.heal("us-east-1", "eu-west-1")
    assert world.settle(30 * SECOND)

It drives the production state machines, replicas and command handlers from one heap of events
(design section 7): no event loop, no sockets, no clock of the machine. One plan and one seed give
one run, byte for byte, which `trace.digest()` stands for. Every change is shown to the checkers; a
broken promise raises `Violation` where it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from crdt.causality.dots import Vector, dominates
from replication.machines.sink import Sink
from replication.protocol.events import Event
from replication.protocol.peers import Direction
from sim.checkers.age import Age
from sim.checkers.atomicity import Atomicity
from sim.checkers.bounds import Bounds
from sim.checkers.causality import Causality
from sim.checkers.commands import Commands
from sim.checkers.convergence import Convergence
from sim.checkers.durability import Durability
from sim.checkers.expiry import Expiry
from sim.checkers.following import Following
from sim.checkers.growth import Growth
from sim.checkers.guarantees import Guarantees
from sim.checkers.identity import Identity
from sim.checkers.lag import Lag
from sim.checkers.leftovers import Leftovers
from sim.checkers.meaning import Meaning
from sim.checkers.reads import Reads
from sim.checkers.refusals import Refusals
from sim.checkers.resurrection import Resurrection
from sim.checkers.rules import Rules
from sim.checkers.scanning import Scanning
from sim.checkers.stability import Stability
from sim.checkers.telling import Telling
from sim.checkers.traffic import Traffic
from sim.checkers.waiting import Waiting
from sim.checkers.watching import Watching
from sim.engine.checker import Checker
from sim.engine.events import MS, SECOND, Engine
from sim.engine.rng import Dice
from sim.engine.trace import Trace
from sim.network.dial import Exchange
from sim.network.ways import Network
from sim.network.wire import Wire
from sim.nodes.client import Reply
from sim.nodes.follower import FollowerSite
from sim.nodes.host import Surroundings
from sim.nodes.ledger import Ledger
from sim.nodes.saying import event_text, reply_text
from sim.nodes.session import Sessions
from sim.nodes.site import Site, Start
from sim.report.report import Recorder
from sim.schedule.plan import Plan
from sim.schedule.step import Words

CHECKERS: Final[tuple[type[Checker], ...]] = (
    Convergence,
    Causality,
    Identity,
    Durability,
    Resurrection,
    Growth,
    Bounds,
    Meaning,
    Rules,
    Stability,
    Expiry,
    Following,
    Traffic,
    Reads,
    Guarantees,
    Atomicity,
    Watching,
    Waiting,
    Scanning,
    Commands,
    Refusals,
    Leftovers,
    Lag,
    Telling,
    Age,
)
LOOK_NS: Final = 10 * MS  # between two looks at whether all has settled
INSPECT_NS: Final = 10 * SECOND  # between two looks at every key, on average


class World:
    """Everything that a simulation is about."""

    def __init__(
        self,
        plan: Plan,
        seed: int = 0,
        *,
        trace: Trace | None = None,
        checkers: Sequence[type[Checker]] = CHECKERS,
        recorder: Recorder | None = None,
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.dice = Dice(seed, "world")
        self.engine = Engine()
        self.trace = Trace() if trace is None else trace
        self.ledger = Ledger()
        self.checkers = tuple(kind(self.ledger) for kind in checkers)
        self.network = Network(
            self.engine, plan.places, latency=plan.latency, dice=self.dice.child("link")
        )
        self.events: dict[str, int] = {}
        """How often the links reported each kind of event."""
        self.on_event: Callable[[str, str], None] | None = None
        """Told what the links of a region report, in words."""
        self.sites: dict[str, Site] = {}
        self.copies: dict[str, FollowerSite] = {}
        self.places: dict[str, Site | FollowerSite] = {}
        """All of `sites` and `copies`."""
        around = Surroundings(
            exchange=Exchange(self.engine, self.network, self.places),
            dice=self.dice,
            trace=self.trace,
            ledger=self.ledger,
            checkers=self.checkers,
            on_event=self.hear,
            recorder=recorder,
            secret=plan.secret,
        )
        if recorder is not None:
            self.trace.on_note = recorder.note
        self.names = {region.id: region.name for region in plan.config.regions}
        self.sessions = Sessions()
        self.endured = 0
        """The number of times all have converged under a fault that lasts to the end."""
        self.donor_crashes = 0
        self.receiver_crashes = 0
        """The numbers of regions that died while they sent, or received, a snapshot."""
        self.populate(around)

    def populate(self, around: Surroundings) -> None:
        """Let all regions and followers begin."""
        plan = self.plan
        for name in plan.names:
            self.sites[name] = Site(
                around,
                plan.member(name),
                plan.peers(name),
                tuning=plan.tuning_of(name),
                config=plan.config,
            )
        for copy in plan.copies:
            self.copies[copy.name] = FollowerSite(around, copy, tuning=plan.tuning_of(copy.name))
        self.places |= {**self.sites, **self.copies}
        for place in self.places.values():
            place.boot()
        self.inspect_later(self.dice.child("inspections"))

    # -- time ------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Virtual time since the beginning, in ns."""
        return self.engine.now

    def sleep(self, ns: int) -> None:
        """Let so much time pass."""
        self.engine.run_until(self.engine.now + ns)

    def sleep_until(self, time: int) -> None:
        """Let time pass until then."""
        self.engine.run_until(time)

    def wait_for(self, holds: Callable[[], bool], limit: int) -> bool:
        """Let time pass until something holds, for `limit` ns at most; whether it does."""
        end = self.engine.now + limit
        while not holds():
            if self.engine.now >= end:
                return False
            self.engine.run_until(min(end, self.engine.now + LOOK_NS))
        return True

    # -- clients ---------------------------------------------------------------------------

    def run(self, region: str, *words: str) -> Reply:
        """One command of a client in a region; its reply, None if it waits."""
        replies = self.run_all(region, words)
        return replies[0] if replies else None

    def run_all(self, region: str, *commands: Sequence[str]) -> list[Reply]:
        """Several commands at once; what they write becomes one operation."""
        place = self.places[region]
        shown = "; ".join(" ".join(words) for words in commands)
        replies = place.run(*commands)
        told = " ".join(map(reply_text, replies))
        self.trace.note(self.now, region, "run", f"{shown} → {told}")
        return replies

    def converse(self, region: str, session: int, *commands: Words) -> list[Reply] | None:
        """Let a session send commands at once (see `session`). Return the replies that came at
        once; None if the session waits for an earlier one."""
        replies = self.sessions.act(self.places[region], session, commands)
        if replies is not None:
            shown = "; ".join(" ".join(words) for words in commands)
            told = " ".join(map(reply_text, replies))
            self.trace.note(self.now, region, "client", f"{session}: {shown} → {told}")
        return replies

    # -- the network -----------------------------------------------------------------------

    def close(self, source: str, sink: str) -> None:
        """Let nothing pass from one region to another; nobody is told."""
        self.trace.note(self.now, f"{source}>{sink}", "closed")
        self.network.way(source, sink).close()

    def open(self, source: str, sink: str) -> None:
        """Undo one `close`."""
        self.trace.note(self.now, f"{source}>{sink}", "opened")
        self.network.way(source, sink).open()

    def cut(self, one: str, other: str) -> None:
        """Separate two regions: both directions, and what connected them breaks at once."""
        for wire in self.wires(one, other) + self.wires(other, one):
            self.break_now(wire)
        self.close(one, other)
        self.close(other, one)

    def heal(self, one: str, other: str) -> None:
        """Undo one `cut`; both dial again at once."""
        self.open(one, other)
        self.open(other, one)
        for here, there in ((one, other), (other, one)):
            if there in self.places[here].dials:
                self.places[here].kick(there)

    def wires(self, one: str, other: str) -> list[Wire]:
        """Our ends of the connections that `one` has dialled to `other`."""
        return [
            wire
            for wire in self.places[one].wires
            if isinstance(wire.machine, Sink) and wire.machine.peer == other
        ]

    def reset(self, one: str, other: str, keep: int = 0) -> int:
        """Break all connections between two regions; of what is under way `keep` bytes arrive
        first. How many there were."""
        wires = self.wires(one, other) + self.wires(other, one)
        for wire in wires:
            self.break_wire(wire, keep=keep)
        return len(wires)

    def break_wire(self, wire: Wire, *, keep: int = 0, is_half: bool = False) -> None:
        """Break a connection; `is_half`: the end that was dialled does not learn of it."""
        assert wire.out is not None
        assert wire.far is not None
        assert wire.far.out is not None
        wire.out.cut_off("" if is_half else "connection reset by peer", keep)
        wire.far.out.cut_off("connection reset by peer", keep)

    def break_now(self, wire: Wire) -> None:
        """Break a connection so that both ends learn of it now, and nothing under way arrives."""
        for end in (wire, wire.far):
            assert end is not None
            assert end.out is not None
            end.out.cut_off("")
        for place in self.places.values():
            for end in list(place.wires):
                if end is wire or end is wire.far:
                    place.lose(end, "connection reset by peer")

    def cut_link(self, source: str, sink: str) -> None:
        """What an administrator's CRDB.LINK CUT does at both ends: ops flow the other way only."""
        for name, peer, direction in link_ends(source, sink):
            site = self.sites[name]
            site.report(site.links.cut(peer, direction, self.now))
            site.finish_turn()
        self.trace.note(self.now, f"{source}>{sink}", "cut")

    def heal_link(self, source: str, sink: str) -> None:
        """Undo `cut_link`."""
        for name, peer, direction in reversed(link_ends(source, sink)):
            self.sites[name].links.heal(peer, direction)
        self.trace.note(self.now, f"{source}>{sink}", "healed")

    # -- regions ---------------------------------------------------------------------------

    def set_clock(self, region: str, ms: int | None) -> None:
        """What an administrator's CRDB.CLOCK does: hold a region's wall clock still at `ms`, or let
        it run again; what expires follows, also back."""
        site = self.sites[region]
        site.instance.set_test_clock(ms)
        for checker in self.checkers:
            checker.rewound(site)

    def live(self) -> list[Site]:
        """The regions that are up."""
        return [site for site in self.sites.values() if site.is_up]

    def crash(self, region: str, is_silent: bool = False) -> None:
        """A region, or a follower, loses its memory."""
        place = self.places[region]
        if isinstance(place, FollowerSite):
            place.crash()
        else:
            self.donor_crashes += any(region in site.donors for site in self.live())
            self.receiver_crashes += bool(place.donors)
            place.crash([other for other in self.live() if other is not place], is_silent)

    def restart(
        self, region: str, kept: Sequence[bytes] = (), start: Start = Start.COUNTED
    ) -> None:
        """It begins its next life; a region with `kept` from a snapshot (see `Site.boot`)."""
        place = self.places[region]
        if isinstance(place, FollowerSite):
            place.boot()
        else:
            place.boot(kept, start)

    def forge(self, region: str, peer: str) -> None:
        """Somebody says to a region, in the name of another, that it knows more of its writes."""
        site, other = self.sites[region], self.sites[peer]
        if site.is_up and not site.is_paused:
            site.meet_forger(other.name, other.number, other.replica.origin)

    # -- looking ---------------------------------------------------------------------------

    def is_copied(self, copy: FollowerSite) -> bool:
        """Return whether a follower has what those of its sources have which it can reach, and
        nothing that they had and lost: of that it learns when it connects. It keeps what it has of
        a source that has lost everything, until the source holds something again."""
        if not copy.is_following:
            return True
        claims = copy.claims()
        return all(
            claims[name] == vector or not vector for name, vector in self.reachable_sources(copy)
        )

    def reachable_sources(self, copy: FollowerSite) -> Iterator[tuple[str, Vector]]:
        """Return the sources of a follower that it can reach, and the vector of each."""
        for name in copy.sources:
            site = self.sites[name]
            there, back = self.network.way(name, copy.name), self.network.way(copy.name, name)
            if site.is_up and there.is_open and back.is_open:
                yield name, site.replica.keyspace.vector

    def carriers(self, source: Site) -> Iterator[Site]:
        """The regions that a link from `source` leads to, if nothing is in its way."""
        for sink in self.live():
            if (
                source.name in sink.dials
                and not sink.is_cut(source.name)
                and self.network.way(source.name, sink.name).is_open
                and self.network.way(sink.name, source.name).is_open
            ):
                yield sink

    def is_settled(self) -> bool:
        """Whether all that was written has come to wherever open links lead."""
        return all(
            dominates(sink.replica.keyspace.vector, source.replica.keyspace.vector)
            for source in self.live()
            for sink in self.carriers(source)
        ) and all(map(self.is_copied, self.copies.values()))

    def settle(self, limit: int) -> bool:
        """Let time pass until all has settled; False if it has not within `limit` ns."""
        return self.wait_for(self.is_settled, limit)

    def inspect_later(self, dice: Dice) -> None:
        """Let the checkers look at every key in a while, and again and again."""

        def inspect() -> None:
            self.inspect()
            self.inspect_later(dice)

        self.engine.after(dice.exponential(INSPECT_NS), inspect)

    def inspect(self) -> None:
        """Let the checkers look at every key."""
        for place in self.places.values():
            if place.is_up:
                for checker in self.checkers:
                    checker.inspected(place)

    def check_end(self) -> None:
        """All is healed and settled: let the checkers look at the whole."""
        self.inspect()
        copies = [copy for copy in self.copies.values() if copy.is_following]
        for checker in self.checkers:
            checker.ended(self.live())
            checker.copied(copies, self.live())

    def hear(self, region: str, event: Event) -> None:
        """The links of a region, or of a follower, report something."""
        kind = type(event).__name__
        if region in self.sites:
            self.events[kind] = self.events.get(kind, 0) + 1
        text = event_text(event, self.names)
        if text:
            self.trace.note(self.now, region, kind, text)
            if self.on_event is not None:
                self.on_event(region, text)


def link_ends(source: str, sink: str) -> tuple[tuple[str, str, Direction], ...]:
    """The two ends of a link: who, with whom, which way."""
    return (source, sink, Direction.OUT), (sink, source, Direction.IN)
