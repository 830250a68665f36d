"""The run of one seed, from start to verdict.

A run has four phases:

* *Start*: all regions connect.
* *Trouble*: clients write and faults happen. Each step checks the invariants that always hold.
* *Core*, in some runs: the faults in a majority of the regions are healed. The other regions stay
  cut off. The majority must converge without them.
* *End*: all faults are healed, except those that last to the end (in some runs). All regions must
  converge within a limit of virtual time. Then the lasting faults are healed too, and the regions
  must converge again. Finally the checkers examine the whole run.

The verdict is `valid`, `invalid` or `unknown`. It is `unknown` if nothing was written, no fault
happened, or nothing could be compared: such a run proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from types import TracebackType
from typing import Final

import attrs

from crdt.causality.op_log import ENTRY_BYTES
from crdt.errors import CRDTError
from replication.follow.follower import SourceStatus
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.backoff import CONNECT_NS_MAX, WAIT_NS_MAX
from replication.protocol.peers import Direction
from sim.campaign.options import RunOptions
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.engine.trace import Trace
from sim.faults.kinds import FAULTS, Injector
from sim.nodes.follower import SimFollower
from sim.nodes.region import SimRegion
from sim.nodes.session import CONNECTIONS
from sim.report.report import Recorder
from sim.schedule.deadlines import draw_deadline_steps
from sim.schedule.readers import draw_follower_reader_steps, draw_reader_steps
from sim.schedule.step import ScheduleStep, merge_steps
from sim.schedule.writes import draw_burst, make_writers
from sim.world.client_checks import check_clients
from sim.world.coverage_probes import coverage_counts
from sim.world.cut_off import check_cut_off
from sim.world.eviction import check_eviction
from sim.world.figures import check_figures
from sim.world.freshness import check_freshness
from sim.world.idleness import check_idleness
from sim.world.world import SimWorld

TAIL: Final = 30  # number of trace records shown for a failure
FOLLOWER_WRITES: Final = 1  # per second; a follower refuses writes until it is promoted
FORGETTING_NS: Final = 10 * SECOND
ROUNDS: Final = (
    6  # rounds of collection and of acknowledgement after which all garbage must be collected
)
QUIET_NS: Final = 2 * SECOND  # before the end: needless repairs have stopped by then
TIMES_SENT: Final = 4  # the most often that data crosses a way of little bandwidth
PULSE_NS: Final = 10 * SECOND  # virtual time between two progress reports


class Verdict(StrEnum):
    """The verdict of a run."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@attrs.frozen
class Result:
    """The result of one run. Times are in ns."""

    seed: int
    verdict: Verdict
    reason: str
    promise: str
    """The invariant that was violated; empty if none was."""
    virtual: int
    converged_in: int
    writes: int
    frames: int
    events: int
    fired: dict[str, int]
    probes: dict[str, int]
    looked: dict[str, int]
    digest: str
    tail: tuple[str, ...]


def draw_schedule(options: RunOptions) -> Iterator[ScheduleStep]:
    """Return all requests of clients and all faults of a run, in order of time."""
    rng = SeededRandom(options.seed, "schedule")
    clients = make_writers(rng.substream("writes"), options.load, options.names)
    streams: list[Iterable[ScheduleStep]] = [each.draw_steps(0, options.length) for each in clients]
    if options.bursts:
        when = rng.substream("bursts")
        for each in clients:
            extra = type(each)(rng.substream(f"burst/{each.region}"), options.load, each.region, 0)
            extra.number = each.number + 100
            streams.append(draw_burst(extra, when.integer_below(options.length), options.bursts))
    streams += draw_reader_steps(
        rng.substream("readers"), options.load, options.names, options.length
    )
    streams.append(draw_deadline_steps(rng.substream("deadlines"), options.names, options.length))
    streams += draw_follower_reader_steps(
        rng.substream("follower readers"), options.load, options.followers, options.length
    )
    few = attrs.evolve(options.load, writes_per_second=FOLLOWER_WRITES)
    refused = make_writers(rng.substream("follower writes"), few, options.followers)
    streams += [each.draw_steps(0, options.length) for each in refused]
    cast = options.fault_targets()
    for name in options.faults:
        stream = rng.substream(f"fault/{name}")
        fault = FAULTS[name]
        if fault.can_happen(cast):
            streams.append(fault.steps(stream, cast, mean=options.mean, end=options.length))
    streams.append([step for step in options.lasting if step.kind in options.faults])
    return merge_steps(*streams)


def converge_limit_ns(world: SimWorld) -> int:
    """Return the time limit (ns) for convergence after all faults are healed.

    The limit is the sum of these times:

    * the noticing of a dead connection, the timeout of the last attempt to dial, and a new attempt
    * several round trips: the handshake, a request, its refusal, and the transfer of a snapshot
    * the repair delay of a gap, which doubles at most six times
    * one round trip for each full window, which matters when windows are small
    * the transfer of data that the faults had delayed.
    """
    limits = [site.tuning.limits for site in world.sites.values()]
    noticing = max(each.silence_ns_max for each in limits) + CONNECT_NS_MAX + 2 * WAIT_NS_MAX
    trip = 2 * world.network.worst_delay()
    patience = 64 * max(
        3 * trip, *(max(each.repair_delay_ns, each.no_link_delay_ns) for each in limits)
    )
    regular = max(each.longest_ns + each.ack_ns + each.stall_ns for each in limits)
    hops = len(world.sites)
    window = min(each.window_bytes_max for each in limits)
    windows = sum(len(entry.data) for entry in world.run_history.in_order) // window + hops
    kept = max(site.replica.keyspace.size() for site in world.sites.values())
    resting = hops * kept * max(site.tuning.snapshot_rest_ns for site in world.sites.values())
    narrow = [way.bandwidth for way in world.network if way.bandwidth]
    if narrow:
        size = sum(len(entry.data) + ENTRY_BYTES for entry in world.run_history.in_order)
        resting += hops * TIMES_SENT * size * SECOND // min(narrow)
    return (
        resting
        + (world.network.clear_at - world.now)
        + 2 * noticing
        + 2 * patience
        + hops * 20 * (trip + regular)
        + windows * (trip + regular)
    )


class Run:
    """A run of one world."""

    def __init__(
        self,
        options: RunOptions,
        *,
        on_line: Callable[[str], None] | None = None,
        on_pulse: Callable[[SimWorld], None] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.options = options
        self.world = SimWorld(
            options.make_plan(), options.seed, trace=Trace(on_line), recorder=recorder
        )
        self.injector = Injector(self.world)
        self.on_pulse = on_pulse
        self.writes = 0
        self.refused = 0
        self.requests = 0
        self.converged_in = -1

    def play_steps(self, steps: Iterable[ScheduleStep] | None = None) -> Result:
        """Play `steps`, or the schedule of the seed, and return the result."""
        promise, reason = "", ""
        try:
            self.prepare_world()
            self.inject_fault(draw_schedule(self.options) if steps is None else steps)
            if self.options.core:
                self.heal_core()
            self.finish_run()
        except Violation as violation:
            promise, reason = violation.promise, violation.text
        except (AssertionError, CRDTError, LookupError, TypeError, ValueError) as error:
            promise, reason = "no crash", f"{type(error).__name__}: {error} ({locate_run(error)})"
        return self.make_result(promise, reason)

    def prepare_world(self) -> None:
        """Set the clocks and the network options that hold for the whole run."""
        world = self.world
        for name, ms in self.options.offsets.items():
            world.sites[name].clock.step_by(ms)
        for place in world.places.values():
            place.clock.tick_ms = self.options.tick_ms
        for way in world.network:
            way.chops = self.options.chops

    def inject_fault(self, steps: Iterable[ScheduleStep]) -> None:
        """Play the steps of a schedule: writes, client sessions and faults."""
        world = self.world
        pulse = PULSE_NS
        for step in steps:
            while step.at >= pulse:
                world.sleep_until(pulse)
                pulse += PULSE_NS
                if self.on_pulse is not None:
                    self.on_pulse(world)
            world.sleep_until(step.at)
            if step.kind == "write":
                self.run_write(step)
            elif step.kind == "client":
                self.run_session(step)
            else:
                self.injector.apply_step(step)
        world.sleep_until(self.options.length)

    def run_write(self, step: ScheduleStep) -> None:
        """Run a client's write. It counts as refused if its region is down or paused."""
        site = self.world.places.get(step.regions[0])
        if site is None or not site.is_responding:
            self.refused += 1
            return
        before = site.replica.keyspace.seq
        self.world.run_all(site.name, *step.commands)
        if site.replica.keyspace.seq > before and site.name in self.world.sites:
            self.writes += 1
        else:
            self.refused += 1

    def run_session(self, step: ScheduleStep) -> None:
        """Run the commands of a client session, unless its region is down or paused, or holds up
        all sessions but those that use the state of their connections."""
        site = self.world.places.get(step.regions[0])
        if site is not None and site.is_responding:
            if site.holds_sessions and step.value not in CONNECTIONS:
                return
            replies = self.world.run_session(site.name, step.value, *step.commands)
            self.requests += replies is not None

    def heal_core(self) -> None:
        """Check that a core of regions converges while the other regions are cut off."""
        world = self.world
        self.injector.end_passing_faults()
        core = [site.name for site in world.live_regions() if site.has_caught_up][
            : self.options.core
        ]
        others = [name for name in world.sites if name not in core]
        pairs = [(a, b) for a in core for b in others]
        for here, there in pairs:
            world.cut(here, there)
        is_whole = all(world.network.way(a, b).is_open for a in core for b in core if a != b)
        if len(core) == self.options.core and is_whole and is_connected(world, core):
            self.wait_for_convergence(core)
        for here, there in pairs:
            world.heal(here, there)

    def finish_run(self) -> None:
        """Heal all faults and check that all regions converge in time. Raises Violation."""
        self.injector.end_passing_faults()
        for place in self.world.places.values():
            if not place.is_up:
                place.start_incarnation()
        if self.injector.lasting:
            self.wait_for_convergence(list(self.world.sites))
            self.world.count_probe("converged under a fault that lasts")
        self.injector.end_all_faults()
        clear_at = self.world.network.clear_at
        self.converged_in = self.wait_for_convergence(list(self.world.sites))
        self.world.sleep_until(max(self.world.now, clear_at))
        self.wait_for_whole_frames()
        self.world.sleep(QUIET_NS)
        self.wait_for_convergence(list(self.world.sites))
        self.forget_metadata()
        check_idleness(self.world)
        check_clients(self.world)
        self.wait_for_convergence(list(self.world.sites))
        check_freshness(self.world)
        check_cut_off(self.world)
        check_figures(self.world)
        self.wait_for_convergence(list(self.world.sites))  # a key may have expired just now
        self.world.check_end()
        check_eviction(self.world)  # the checks at the end expect the keys that it deletes

    def wait_for_whole_frames(self) -> None:
        """Wait until no receiver waits for the rest of a frame whose length noise has changed.
        Raises Violation on timeout.

        Such a frame ends its connection after `idle_ns_max`. Until then its sender gets no
        acknowledgement, or its receiver no data.
        """
        world = self.world
        if not world.network.total_traffic().flipped or not has_torn_frame(world):
            return
        limits = [site.tuning.limits for site in world.sites.values()]
        limit = max(each.idle_ns_max + 2 * each.silence_ns_max for each in limits)
        if not world.wait_for(lambda: not has_torn_frame(world), limit):
            raise Violation(
                "liveness", f"a damaged frame holds up a link after {limit / SECOND:.0f} s"
            )
        world.wait_for(lambda: not blocked_links(world), converge_limit_ns(world))

    def forget_metadata(self) -> None:
        """Wait until every region and every follower has collected its garbage. Raises Violation on
        timeout. A follower that keeps its data until a source holds data again is exempt."""
        world = self.world
        tunings = [site.tuning.limits for site in world.sites.values()]
        copies = [each for each in world.copies.values() if not each.keeps_old_data]
        places = (*world.sites.values(), *copies)
        limit = FORGETTING_NS + ROUNDS * max(each.collect_ns + each.longest_ns for each in tunings)
        if not world.wait_for(lambda: not any(map(keeps_promise, places)), limit):
            kept = "; ".join(f"{place.name} {keeps_promise(place)}" for place in places)
            raise Violation("forgetting", f"after {limit / SECOND:.0f} s of quiet: {kept}")

    def wait_for_convergence(self, names: list[str]) -> int:
        """Wait until these regions have converged. Return how long it took, in ns.

        Raises Violation on timeout.
        """
        world = self.world
        begin = world.now
        limit = converge_limit_ns(world)
        if not world.wait_for(lambda: regions_agree(world, names), limit):
            raise Violation(
                "liveness",
                f"no agreement after {limit / SECOND:.0f} s; {explain_blocked_links(world)};"
                f" {explain_divergence(world)}",
            )
        return world.now - begin

    def make_result(self, promise: str, reason: str) -> Result:
        """Return the outcome of the run."""
        world = self.world
        looked = {checker.promise: checker.looked for checker in world.checkers}
        verdict = Verdict.INVALID if promise else Verdict.VALID
        if not promise:
            unproved = [name for name, count in looked.items() if not count]
            if not self.writes:
                verdict, reason = Verdict.UNKNOWN, "nothing was written"
            elif not any(self.injector.fired.values()):
                asked = ", ".join(self.options.faults)
                reason = f"nothing went wrong: no {asked} could happen" if asked else "no faults"
                verdict = Verdict.UNKNOWN
            elif "convergence" in unproved or "durability" in unproved:
                verdict, reason = Verdict.UNKNOWN, f"not put to the test: {', '.join(unproved)}"
        return Result(
            seed=world.seed,
            verdict=verdict,
            reason=reason,
            promise=promise,
            virtual=world.now,
            converged_in=self.converged_in,
            writes=self.writes,
            frames=sum(site.frames for site in world.sites.values()),
            events=world.engine.events,
            fired={name: count for name, count in self.injector.fired.items() if count},
            probes=coverage_counts(world),
            looked=looked,
            digest=world.trace.hex_digest(),
            tail=tuple(world.trace.last_records(TAIL)) if promise else (),
        )


def regions_agree(world: SimWorld, names: list[str]) -> bool:
    """Return whether these regions have applied the same operations and have all caught up.

    A region need not have caught up while it must wait for another that a fault separates from it.
    If `names` holds all regions, the followers must have applied these operations too.
    """
    sites = [world.sites[name] for name in names]
    first = sites[0].replica.keyspace.vector
    if any(site.replica.keyspace.vector != first for site in sites):
        return False
    return all(site.has_caught_up or must_wait(world, site) for site in sites) and (
        len(names) < len(world.sites) or all(map(world.is_copied, world.copies.values()))
    )


def must_wait(world: SimWorld, site: SimRegion) -> bool:
    """Return whether a region that has held data has nothing, and waits for a peer that a fault
    separates from it: the peer may have the data."""
    return site.links.memory.awaits_all() and any(
        not world.network.way(site.name, peer).is_open
        or not world.network.way(peer, site.name).is_open
        for peer in site.links.awaited()
    )


def keeps_promise(place: SimRegion | SimFollower) -> str:
    """Describe the garbage and tombstones that a process still keeps; empty if there are none.

    Tombstones alone count in a follower of several sources. What these wrote under one key is
    concurrent there, and no source removes their deadlines that never come.
    """
    db = place.replica.keyspace
    garbage, tombstones = db.remembered_keys()
    if isinstance(place, SimFollower) and place.is_following and len(place.sources) > 1:
        garbage = []
    if not garbage and not tombstones:
        return ""
    stable = shown(place.replica.stable())
    return f"keeps {garbage} and {tombstones}, stable {stable}"


def is_connected(world: SimWorld, names: list[str]) -> bool:
    """Return whether the links among these regions alone connect them all."""
    topology = world.plan.config.topology
    away = [name for name in topology.regions if name not in names]
    groups = topology.components(topology.isolate(*away)) if away else topology.components()
    return any(set(names) <= set(group) for group in groups)


def explain_divergence(world: SimWorld) -> str:
    """Describe the vector of each region and follower, and the state of its links."""
    rows: list[str] = []
    for site in world.sites.values():
        links = ", ".join(
            f"{row.peer} {row.direction.value} {row.state}"
            for row in site.links.statistics(world.now)
        )
        stale = "" if site.has_caught_up else " (stale)"
        rows.append(f"{site.name}{stale} has {shown(site.replica.keyspace.vector)} [{links}]")
    for copy in world.copies.values():
        claims = [f"{shown(vector)} of {name}" for name, vector in copy.claims().items()]
        reports = copy.follower.reports(world.now)
        links = ", ".join(f"{row.name} {row.status.value}" for row in reports)
        rows.append(f"{copy.name} has {' and '.join(claims)} [{links}]")
    return "; ".join(rows)


def has_torn_frame(world: SimWorld) -> bool:
    """Return whether any end of a connection has received a part of a frame."""
    return any(wire.has_torn_frame for place in world.places.values() for wire in place.wires)


def blocked_links(world: SimWorld) -> list[str]:
    """Describe the links that are not streaming now, each with its state and its last error."""
    rows = [
        (site.name, row.peer, row.state, row.last_error)
        for site in world.sites.values()
        for row in site.links.statistics(world.now)
        if row.direction is Direction.IN and row.state != SinkState.STREAMING.value
    ]
    rows += [
        (copy.name, row.name, row.status.value, row.last_error)
        for copy in world.copies.values()
        if copy.is_following
        for row in copy.follower.reports(world.now)
        if row.status is not SourceStatus.IN_SYNC
    ]
    return [
        f"{peer} > {name} is {state}" + (f", its last error: {error}" if error else "")
        for name, peer, state, error in rows
    ]


def explain_blocked_links(world: SimWorld) -> str:
    """Describe the links that are not streaming now, or say that there are none."""
    links = blocked_links(world)
    return f"links that are not through: {'; '.join(links)}" if links else "all links are through"


def locate_run(error: BaseException, at: int = -1) -> str:
    """Return the function, file and line of one frame of a traceback; the last by default."""
    frames: list[TracebackType] = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    if not frames:
        return "nowhere"
    traceback = frames[max(at, -len(frames))]
    code = traceback.tb_frame.f_code
    return f"{code.co_name} in {code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}"
