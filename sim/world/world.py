"""A world: regions, the network between them, and one virtual time.

    world = SimWorld(Plan.of(["us-east-1", "eu-west-1", "ap-southeast-1"]), seed=7)
    world.run("us-east-1", "SADD", "cart", "milk")
    world.cut("us-east-1", "eu-west-1")
    world.sleep(10 * SECOND)
    world.heal("us-east-1", "eu-west-1")
    assert world.converge(30 * SECOND)

The world drives the production state machines, replicas and command handlers from one event heap.
It uses no event loop, no sockets and no system clock. A run is deterministic: the same plan and
seed give the same trace, byte for byte, and so the same `trace.hex_digest()`. The checkers examine
every change. A violated invariant raises `Violation` immediately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from crdt.causality.dots import Vector, dominates
from replication.machines.receiving.sink import Sink
from replication.protocol.events import Event
from replication.protocol.peers import Direction, link_ends
from sim.checkers.clients.arrival import ArrivalChecker
from sim.checkers.clients.atomicity import AtomicityChecker
from sim.checkers.clients.commands import CommandChecker
from sim.checkers.clients.connections import ConnectionChecker
from sim.checkers.clients.durability import DurabilityChecker
from sim.checkers.clients.guarantees import GuaranteesChecker
from sim.checkers.clients.meaning import MeaningChecker
from sim.checkers.clients.messages import MessageChecker
from sim.checkers.clients.reads import ReadsChecker
from sim.checkers.clients.refusals import RefusalsChecker
from sim.checkers.clients.scanning import ScanningChecker
from sim.checkers.clients.streams import StreamChecker
from sim.checkers.clients.waiting import WaitingChecker
from sim.checkers.clients.watching import WatchingChecker
from sim.checkers.figures.age import AgeChecker
from sim.checkers.figures.lag import LagChecker
from sim.checkers.figures.monitoring import MonitoringChecker
from sim.checkers.figures.round_trips import RoundTripChecker
from sim.checkers.links.acknowledging import AcknowledgementChecker
from sim.checkers.links.bounds import BoundsChecker
from sim.checkers.links.cutting import CutChecker
from sim.checkers.links.flow import FlowChecker
from sim.checkers.links.following import FollowingChecker
from sim.checkers.links.gap_repair import GapRepairChecker
from sim.checkers.links.leftovers import LeftoversChecker
from sim.checkers.links.reports import ReportChecker
from sim.checkers.links.requests import RequestChecker
from sim.checkers.links.resyncing import ResyncChecker
from sim.checkers.links.sending import SendingChecker
from sim.checkers.links.traffic import TrafficChecker
from sim.checkers.replicas.causality import CausalityChecker
from sim.checkers.replicas.change_reports import ChangeReportChecker
from sim.checkers.replicas.convergence import ConvergenceChecker
from sim.checkers.replicas.expiry import ExpiryChecker
from sim.checkers.replicas.growth import GrowthChecker
from sim.checkers.replicas.hidden import HiddenChecker
from sim.checkers.replicas.identity import IdentityChecker
from sim.checkers.replicas.promotion import PromotionChecker
from sim.checkers.replicas.recovery import PROGRESS, RecoveryChecker
from sim.checkers.replicas.resurrection import ResurrectionChecker
from sim.checkers.replicas.rules import RulesChecker
from sim.checkers.replicas.stability import StabilityChecker
from sim.checkers.replicas.tidying import TidyingChecker
from sim.engine.checker import Checker
from sim.engine.events import MS, SECOND, Engine
from sim.engine.hooks import Hooks
from sim.engine.rng import SeededRandom
from sim.engine.trace import Trace
from sim.network.connector import ConnectionContext
from sim.network.ways import Network
from sim.network.wire import Wire
from sim.nodes.client import Reply
from sim.nodes.follower import SimFollower
from sim.nodes.formatting import format_event, format_reply
from sim.nodes.process import ProcessContext
from sim.nodes.region import SimRegion, Start
from sim.nodes.run_history import RunHistory
from sim.nodes.session import Sessions
from sim.report.report import Recorder
from sim.schedule.plan import Plan
from sim.schedule.step import Words

CHECKERS: Final[tuple[type[Checker], ...]] = (
    ConvergenceChecker,
    CausalityChecker,
    IdentityChecker,
    DurabilityChecker,
    ResurrectionChecker,
    GrowthChecker,
    BoundsChecker,
    MeaningChecker,
    RulesChecker,
    StabilityChecker,
    RecoveryChecker,
    ExpiryChecker,
    TidyingChecker,
    FollowingChecker,
    PromotionChecker,
    TrafficChecker,
    ReadsChecker,
    GuaranteesChecker,
    AtomicityChecker,
    WatchingChecker,
    WaitingChecker,
    ScanningChecker,
    CommandChecker,
    ConnectionChecker,
    RefusalsChecker,
    LeftoversChecker,
    LagChecker,
    ChangeReportChecker,
    AgeChecker,
    ArrivalChecker,
    SendingChecker,
    AcknowledgementChecker,
    GapRepairChecker,
    FlowChecker,
    RoundTripChecker,
    ReportChecker,
    RequestChecker,
    CutChecker,
    ResyncChecker,
    MonitoringChecker,
    HiddenChecker,
    StreamChecker,
    MessageChecker,
)
SHOWN_MAX: Final = 100  # commands of a session's request in the trace
CHECK_NS: Final = 10 * MS  # between two evaluations of a condition in `wait_for`
PROGRESS_NS: Final = tuple(ms * MS for ms in (20, 60, 100, 150, 200, 300, 500, 1000, 3000))
"""The times after a restart at which an operator asks for the progress of a region."""
INSPECT_NS: Final = 10 * SECOND  # between two inspections of all keys, on average


class SimWorld:
    """A simulation: regions, followers, their network, and the checkers."""

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
        self.rng = SeededRandom(seed, "world")
        self.engine = Engine()
        self.trace = Trace() if trace is None else trace
        self.run_history = RunHistory()
        self.checkers = tuple(kind(self.run_history) for kind in checkers)
        self.network = Network(
            self.engine,
            plan.process_names,
            latency=plan.latency_between,
            rng=self.rng.substream("link"),
        )
        self.events: dict[str, int] = {}
        """The number of events of each kind that the links have reported."""
        self.on_event: Callable[[str, str], None] | None = None
        """Called with each event that the links of a region report, as text."""
        self.sites: dict[str, SimRegion] = {}
        self.copies: dict[str, SimFollower] = {}
        self.places: dict[str, SimRegion | SimFollower] = {}
        """The regions and followers by name."""
        around = ProcessContext(
            exchange=ConnectionContext(self.engine, self.network, self.places),
            rng=self.rng,
            trace=self.trace,
            run_history=self.run_history,
            checkers=self.checkers,
            hooks=Hooks(self.checkers),
            on_event=self.handle_event,
            recorder=recorder,
            secret=plan.secret,
        )
        if recorder is not None:
            self.trace.on_note = recorder.record_note
        self.names = {region.id: region.name for region in plan.config.regions}
        self.sessions = Sessions()
        self.probes: dict[str, int] = {}
        """The counts of `count_probe`."""
        self.boot_processes(around)

    def count_probe(self, name: str) -> None:
        """Count a rare situation. `name` is that of its probe in `sim.world.coverage_probes`."""
        self.probes[name] = self.probes.get(name, 0) + 1

    def boot_processes(self, around: ProcessContext) -> None:
        """Start all regions and followers."""
        plan = self.plan
        for name in plan.region_names:
            tuning = plan.tuning_of(name)
            self.sites[name] = SimRegion(around, name, tuning=tuning, config=plan.config)
        for copy in plan.copies:
            self.copies[copy.name] = SimFollower(around, copy, tuning=plan.tuning_of(copy.name))
        self.places |= {**self.sites, **self.copies}
        for place in self.places.values():
            place.start_incarnation()
        self.schedule_inspection(self.rng.substream("inspections"))

    # -- time ------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The virtual time since the start of the world, in ns."""
        return self.engine.now

    def sleep(self, ns: int) -> None:
        """Let `ns` of virtual time pass."""
        self.engine.run_until(self.engine.now + ns)

    def sleep_until(self, time: int) -> None:
        """Let virtual time pass until `time` (ns)."""
        self.engine.run_until(time)

    def wait_for(self, holds: Callable[[], bool], limit: int) -> bool:
        """Let time pass until `holds` returns True. Return False after `limit` ns."""
        end = self.engine.now + limit
        while not holds():
            if self.engine.now >= end:
                return False
            self.engine.run_until(min(end, self.engine.now + CHECK_NS))
        return True

    # -- clients ---------------------------------------------------------------------------

    def run(self, region: str, *words: str) -> Reply:
        """Run one client command in a region. Return its reply, or None if the command blocks."""
        replies = self.run_all(region, words)
        return replies[0] if replies else None

    def run_all(self, region: str, *commands: Sequence[str]) -> list[Reply]:
        """Run several commands in one turn. Their effects become one op."""
        place = self.places[region]
        shown = "; ".join(" ".join(words) for words in commands)
        replies = place.run_commands(*commands)
        reply_text = " ".join(map(format_reply, replies))
        self.trace.add_record(self.now, region, "run", f"{shown} → {reply_text}")
        return replies

    def run_session(self, region: str, session: int, *commands: Words) -> list[Reply] | None:
        """Let a session send commands together (see `session`). Return the immediate replies.

        Return None if the session is blocked.
        """
        replies = self.sessions.run_step(self.places[region], session, commands)
        if replies is not None:
            shown = "; ".join(" ".join(words) for words in commands[:SHOWN_MAX])
            reply_text = " ".join(map(format_reply, replies[:SHOWN_MAX]))
            self.trace.add_record(self.now, region, "client", f"{session}: {shown} → {reply_text}")
        return replies

    # -- the network -----------------------------------------------------------------------

    def close_way(self, source: str, sink: str) -> None:
        """Drop all data from one region to another. Neither end is notified."""
        self.trace.add_record(self.now, f"{source}>{sink}", "closed")
        self.network.way(source, sink).close_once()

    def open_way(self, source: str, sink: str) -> None:
        """Undo one `close_way`."""
        self.trace.add_record(self.now, f"{source}>{sink}", "opened")
        self.network.way(source, sink).open_once()

    def cut(self, one: str, other: str) -> None:
        """Separate two regions in both directions, and break their connections immediately."""
        for wire in self.wires_between(one, other) + self.wires_between(other, one):
            self.break_now(wire)
        self.close_way(one, other)
        self.close_way(other, one)

    def heal(self, one: str, other: str) -> None:
        """Undo one `cut`. Both regions dial again immediately."""
        self.open_way(one, other)
        self.open_way(other, one)
        for here, there in ((one, other), (other, one)):
            if there in self.places[here].connectors:
                self.places[here].connect_soon(there)

    def wires_between(self, one: str, other: str) -> list[Wire]:
        """Return the ends at `one` of the connections that it has dialled to `other`."""
        return [
            wire
            for wire in self.places[one].wires
            if isinstance(wire.machine, Sink) and wire.machine.peer == other
        ]

    def reset_connections(self, one: str, other: str, keep: int = 0) -> int:
        """Break all connections between two regions. Return the number of connections.

        `keep` more bytes of each connection still arrive.
        """
        wires = self.wires_between(one, other) + self.wires_between(other, one)
        for wire in wires:
            self.break_wire(wire, keep=keep)
        return len(wires)

    def break_wire(self, wire: Wire, *, keep: int = 0, is_half: bool = False) -> None:
        """Break a connection. If `is_half`, the end that accepted it is not notified."""
        assert wire.out is not None
        assert wire.far is not None
        assert wire.far.out is not None
        wire.out.break_off("" if is_half else "connection reset by peer", keep)
        wire.far.out.break_off("connection reset by peer", keep)

    def break_now(self, wire: Wire) -> None:
        """Break a connection and notify both ends now. Data in flight is lost."""
        for end in (wire, wire.far):
            assert end is not None
            assert end.out is not None
            end.out.break_off("")
        for place in self.places.values():
            for end in list(place.wires):
                if end is wire or end is wire.far:
                    place.connection_lost(end, "connection reset by peer")

    def cut_link(self, source: str, sink: str) -> None:
        """Cut one direction at both ends, like CRDB.LINK CUT. Ops still flow the other way."""
        for name, peer, direction in link_ends(source, sink):
            site = self.sites[name]
            before = site.links.ends()
            site.handle_events(site.links.cut(peer, direction, self.now))
            for checker in self.checkers:
                checker.on_link_cut(site, peer, direction, before)
            site.finish_turn()
        self.trace.add_record(self.now, f"{source}>{sink}", "cut")

    def heal_link(self, source: str, sink: str) -> None:
        """Undo `cut_link`."""
        for name, peer, direction in reversed(link_ends(source, sink)):
            site = self.sites[name]
            site.links.heal(peer, direction)
            if direction is Direction.IN:
                for checker in self.checkers:
                    checker.on_link_healed(site, peer)
        self.trace.add_record(self.now, f"{source}>{sink}", "healed")

    # -- regions ---------------------------------------------------------------------------

    def set_clock(self, region: str, ms: int | None) -> None:
        """Stop a region's wall clock at `ms`, or let it run again, like CRDB.CLOCK.

        The expiry clock follows the wall clock, also backwards.
        """
        site = self.sites[region]
        site.instance.set_test_clock(ms)
        for checker in self.checkers:
            checker.on_clock_rewound(site)

    def live_regions(self) -> list[SimRegion]:
        """Return the regions that are up."""
        return [site for site in self.sites.values() if site.is_up]

    def crash_process(self, region: str, is_silent: bool = False) -> None:
        """Stop a region or a follower, which loses its memory."""
        place = self.places[region]
        if isinstance(place, SimFollower):
            place.lose_memory()
        else:
            if any(region in site.snapshot_peers for site in self.live_regions()):
                self.count_probe("crash of snapshot peer in a full resync")
            if place.snapshot_peers:
                self.count_probe("crash of receiver in a full resync")
            place.lose_memory(
                [other for other in self.live_regions() if other is not place], is_silent
            )

    def restart_process(
        self, region: str, kept: Sequence[bytes] = (), start: Start = Start.COUNTED
    ) -> None:
        """Start a process again. A region can start from a snapshot (`kept`)."""
        place = self.places[region]
        if isinstance(place, SimFollower):
            place.start_incarnation()
        else:
            place.start_incarnation(kept, start)
            for ns in PROGRESS_NS:
                self.engine.schedule_after(ns, partial(self.ask_for_progress, place))

    def ask_for_progress(self, site: SimRegion) -> None:
        """Let an operator ask how far a region is that has restarted and has not caught up."""
        if site.is_responding and not site.has_caught_up:
            self.run_all(site.name, PROGRESS)

    def forge_hello(self, region: str, peer: str) -> None:
        """Send a region a forged Hello of a peer, which claims unknown writes of the region."""
        site, other = self.sites[region], self.sites[peer]
        if site.is_responding:
            site.receive_forged_hello(other.name, other.number, other.replica.origin)

    # -- queries and checks ----------------------------------------------------------------

    def is_copied(self, copy: SimFollower) -> bool:
        """Return whether a follower holds exactly the data of its reachable sources.

        It must not hold data that these sources have lost: it detects such a loss when it connects.
        If a source has lost everything, the follower keeps its copy until the source holds data
        again. Until then it also keeps data that other sources have lost.
        """
        if not copy.is_following:
            return True
        claims = copy.claims()
        sources = dict(self.reachable_sources(copy))
        if any(claims[name] and not vector for name, vector in sources.items()):
            return True
        if copy.holds_old and any(sources.values()):
            return False
        return all(claims[name] == vector for name, vector in sources.items())

    def reachable_sources(self, copy: SimFollower) -> Iterator[tuple[str, Vector]]:
        """Yield the reachable sources of a follower, each with its vector."""
        for name in copy.sources:
            site = self.sites[name]
            there, back = self.network.way(name, copy.name), self.network.way(copy.name, name)
            if site.is_up and there.is_open and back.is_open:
                yield name, site.replica.keyspace.vector

    def carrying_regions(self, source: SimRegion) -> Iterator[SimRegion]:
        """Yield the regions that `source` reaches over an open link."""
        for sink in self.live_regions():
            if (
                source.name in sink.connectors
                and not sink.is_cut(source.name)
                and self.network.way(source.name, sink.name).is_open
                and self.network.way(sink.name, source.name).is_open
            ):
                yield sink

    def has_converged(self) -> bool:
        """Return whether every write has arrived in all regions reachable over open links."""
        return all(
            dominates(sink.replica.keyspace.vector, source.replica.keyspace.vector)
            for source in self.live_regions()
            for sink in self.carrying_regions(source)
        ) and all(map(self.is_copied, self.copies.values()))

    def converge(self, limit: int) -> bool:
        """Let time pass until all writes have arrived. Return False after `limit` ns."""
        return self.wait_for(self.has_converged, limit)

    def schedule_inspection(self, rng: SeededRandom) -> None:
        """Let the checkers inspect every key, at random intervals."""

        def inspect_and_repeat() -> None:
            self.inspect_all()
            self.schedule_inspection(rng)

        self.engine.schedule_after(rng.exponential(INSPECT_NS), inspect_and_repeat)

    def inspect_all(self) -> None:
        """Let the checkers inspect every key."""
        for place in self.places.values():
            if place.is_up:
                for checker in place.examining("on_inspection"):
                    checker.on_inspection(place)

    def check_end(self) -> None:
        """Let the checkers examine the final state, after all links are healed and the regions have
        converged."""
        self.inspect_all()
        copies = [copy for copy in self.copies.values() if copy.is_following]
        for checker in self.checkers:
            checker.on_run_end(self.live_regions())
            checker.on_followers_end(copies, self.live_regions())

    def handle_event(self, region: str, event: Event) -> None:
        """Count and trace an event of a process's links."""
        kind = type(event).__name__
        if region in self.sites:
            self.events[kind] = self.events.get(kind, 0) + 1
        text = format_event(event, self.names)
        if text:
            self.trace.add_record(self.now, region, kind, text)
            if self.on_event is not None:
                self.on_event(region, text)
