"""A world of three replicas of a keyspace, the messages in transit between them, and faults.

Operations arrive in any order, late, twice, or only through a third region. Links are cut in one
direction. Snapshots are read while writes go on, and merged into any region, even if they are
stale. What a merge leaves to be done is done in slices, between all other steps. Clocks are skewed,
and reports may be old. A region restarts from an earlier state under a new incarnation. After every
step, each changed region is compared with the specification, and with every region that ever had
the same vector. A twin applies all operations and never collects.

A restarted region does not write until it has caught up with its own earlier reports. Garbage
collection is safe only with this rule, so the world keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crdt.causality.dots import Vector, dominates, join, make_dot, make_origin
from crdt.causality.op import Op
from crdt.embed.arriving import ArrivingOp
from crdt.embed.replica import Outcome, Replica
from crdt.errors import HistoryTruncated
from crdt.store.snapshot import Snapshot
from crdt.testing.laws import check_laws, expect_same
from crdt.testing.subject import Disagreement, Subject, TraceEntry
from crdt.testing.worlds.site import Site, digest_at
from crdt.testing.worlds.steps import AHEAD, REGIONS, Step
from crdt.testing.worlds.world_checks import WorldChecks
from crdt.types.base import Value

ROUNDS_TO_REST: Final = 4
NOTHING_LOST: Final = 4  # one in so many restarts loses no data
PART_BYTES: Final = 7
"""The size of the parts in which operations come if work is left to steps of work."""
WORK_BYTES: Final = 10 * PART_BYTES
TWIN: Final = 255
BACKLOGS: Final = (1 << 20, 900, 300)  # bytes of history of each region


class World:
    """Replicas of a keyspace that run a schedule."""

    def __init__(self, subject: Subject) -> None:
        self.subject: Subject = subject
        self.is_lazy: bool = False
        """True if replicas leave work to steps of work."""
        self.regions: tuple[int, ...] = tuple(range(1, REGIONS + 1))
        self.sites: list[Site] = [Site(region, self.make(region, 0)) for region in self.regions]
        self.twin: Replica = subject.replica(make_origin(TWIN), (), 1 << 20)
        self.cuts: set[tuple[int, int]] = set()
        self.snapshots: list[tuple[Snapshot, list[bytes]]] = []
        self.reports: list[tuple[int, Vector, int]] = []
        self.checks: WorldChecks = WorldChecks(subject, self.sites)
        self.counts: dict[str, int] = self.checks.counts
        self.trace: list[TraceEntry] = self.checks.trace
        self.steps: int = 0
        for site in self.sites:
            site.replica.advance(site.clock)

    def make(self, region: int, incarnation: int) -> Replica:
        """Return a new, empty replica of a region."""
        origin = make_origin(region, incarnation)
        backlog = BACKLOGS[region % len(BACKLOGS)]
        replica = self.subject.replica(origin, self.regions, backlog)
        if self.is_lazy:
            replica.work_in_slices(1, 1)
        return replica

    def site(self, number: int) -> Site:
        """Return the region for a number in a step."""
        return self.sites[number % len(self.sites)]

    def run(self, steps: list[Step]) -> None:
        """Run these steps, converge, and collect all garbage. Raises the first error."""
        self.run_on(steps)
        for site in self.sites:
            self.send(site)
        check_laws(self.subject, [site.replica for site in self.sites], self.checks.count)
        self.step(Step("settle"))
        if not any(step.kind == "collect" for step in steps):
            expect_same("equal vectors, equal bytes", [site.replica for site in self.sites])
            self.checks.count("equal vectors, equal bytes")
        self.rest()

    def run_on(self, steps: list[Step]) -> None:
        """Run these steps only. If there are steps of work among them, work is left to them."""
        if any(step.kind == "work" for step in steps):
            self.is_lazy = True
            for site in self.sites:
                site.replica.work_in_slices(1, 1)
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        """Run one step and check the regions that it has changed."""
        self.steps += 1
        STEPS[step.kind](self, step.first, step.second)
        for site in self.sites:
            if site.vector != site.replica.keyspace.vector or step.kind == "advance":
                self.checks.check(site, self.steps)

    def rest(self) -> None:
        """Let all regions collect garbage. Check that no garbage or tombstones are left, except
        values with deadlines of parts that the clocks of some regions have not reached."""
        for _ in range(ROUNDS_TO_REST):
            if not any(
                s.replica.keyspace.garbage or not s.replica.is_settled() for s in self.sites
            ):
                break
            for number in range(len(self.sites)):
                self.finish_work(self.sites[number])
                self.step(Step("collect", number))
            self.step(Step("settle"))
        for site in self.sites:
            self.finish_work(site)
            db = site.replica.keyspace
            self.checks.count("no garbage is left")
            dead = [key for key in db.tombstones if not has_deadlines(db.tombstones[key])]
            if db.garbage or dead:
                where = f"region {site.region} keeps {sorted(db.garbage)} and {sorted(dead)}"
                raise Disagreement("no garbage is left", where)

    def finish_work(self, site: Site) -> None:
        """Let a region do all work that is left."""
        while not site.replica.is_settled():
            site.replica.work()

    # -- steps -----------------------------------------------------------------------------

    def write(self, number: int, choice: int) -> None:
        """Execute a command at a region."""
        site = self.site(number)
        if self.has_caught_up(site):
            command = self.subject.commands[choice % len(self.subject.commands)]
            self.record(site, lambda: self.perform(site, command))

    def perform(self, site: Site, command: Any) -> Any:
        """Execute a command. Check its result if the subject has further promises."""
        promises = self.subject.promises
        history = self.checks.history(site.replica)
        came_to = self.subject.perform(site.replica, command)
        if promises is not None:
            promises.check_result(
                f"region {site.region}", history, command, came_to, self.checks.count
            )
        return command if promises is not None else came_to

    def has_caught_up(self, site: Site) -> bool:
        """Return whether a region has every operation that it had reported and any region has."""
        others = [other.replica.keyspace.vector for other in self.sites]
        vector = site.replica.keyspace.vector
        for origin, seq in site.reported.items():
            reachable = max(other.get(origin, 0) for other in others)
            if vector.get(origin, 0) < min(seq, reachable):
                return False
        return True

    def record(self, site: Site, act: Callable[[], Any]) -> None:
        """Call `act`. Add the command that it returns to the history if it had an effect."""
        db = site.replica.keyspace
        before, past = db.seq, self.checks.history(site.replica).visible
        came_to = act()
        if db.seq > before:
            self.checks.note(came_to, make_dot(db.origin, db.seq), past)

    def send(self, site: Site) -> None:
        """Seal the writes of a region into an operation and send it to all other regions."""
        op = site.replica.seal()
        if op is None:
            return
        data = op.to_bytes()
        again = Op.from_bytes(data)
        again = Op(again.origin, again.first, again.base, again.deps, again.effects, again.previous)
        self.checks.count("encoding is canonical")
        if again.to_bytes() != data:
            raise Disagreement("encoding is canonical", f"{op!r} comes back otherwise")
        for other in self.sites:
            if other is not site:
                other.waiting.append((site.region, data))
        self.twin.accept(Op.from_bytes(data))

    def deliver(self, number: int, choice: int, keep: bool = False) -> None:
        """Deliver one of the operations in transit to a region. `keep` leaves it in transit."""
        sink = self.site(number)
        for site in self.sites:
            self.send(site)
        open_ways = [each for each in sink.waiting if (each[0], sink.region) not in self.cuts]
        if open_ways:
            message = open_ways[choice % len(open_ways)]
            outcome = self.accept(sink, message[1])
            if not keep and outcome is not Outcome.REFUSED:
                sink.waiting.remove(message)

    def accept(self, sink: Site, data: bytes) -> Outcome:
        """Offer an operation to a region. It must not be applied before its dependencies."""
        op = Op.from_bytes(data)
        before = sink.replica.vector
        outcome = self.accept_parts(sink, data) if self.is_lazy else sink.replica.accept(op)
        if outcome is Outcome.APPLIED:
            self.checks.count("local effect equals remote effect")
            assert dominates(before, op.deps), "applied before what it depends on"
        elif outcome is Outcome.DUPLICATE:
            self.checks.count("duplicates are harmless")
        return outcome

    def accept_parts(self, sink: Site, data: bytes) -> Outcome:
        """Offer an operation in small parts, with a slice of work in between."""
        arriving = ArrivingOp(sink.replica)
        for start in range(0, len(data), PART_BYTES):
            arriving.feed(data[start : start + PART_BYTES])
            if start % WORK_BYTES == 0:
                sink.replica.work()
        return arriving.finish()

    def duplicate(self, number: int, choice: int) -> None:
        """Deliver an operation that stays in transit, so it arrives again."""
        self.deliver(number, choice, True)

    def pull(self, source: int, sink: int) -> None:
        """Bring a region up to date from another, unless the link between them is cut."""
        here, there = self.site(sink), self.site(source)
        self.send(here)
        self.send(there)
        if here is there or (there.region, here.region) in self.cuts:
            return
        self.bring(there, here)

    def bring(self, source: Site, sink: Site) -> None:
        """Bring a region up to date from another, with operations or with a snapshot."""
        self.send(sink)
        try:
            ops = source.replica.since(sink.replica.vector)
        except HistoryTruncated:
            self.merge_into(sink, list(source.replica.snapshot()), source.replica.vector)
            return
        for op in ops:
            self.accept(sink, op.to_bytes())
        if not dominates(sink.replica.keyspace.vector, source.replica.keyspace.vector):
            raise Disagreement("since() gives what is missing", f"to region {sink.region}")

    def cut(self, source: int, sink: int) -> None:
        """Cut the link from one region to another, in this direction only."""
        self.cuts.add((self.site(source).region, self.site(sink).region))

    def heal(self, first: int, second: int) -> None:
        """Restore all links."""
        self.cuts.clear()

    def open_snapshot(self, number: int, second: int) -> None:
        """Begin a snapshot of a region."""
        site = self.site(number)
        self.send(site)
        snapshot = site.replica.snapshot()
        snapshot.piece_keys = 1
        snapshot.piece_bytes = 8
        self.snapshots.append((snapshot, []))

    def read_snapshot(self, choice: int, pieces: int) -> None:
        """Read some pieces of a snapshot."""
        if self.snapshots:
            snapshot, read = self.snapshots[choice % len(self.snapshots)]
            for _ in range(pieces % 4):
                read += [piece for piece in [next(snapshot, None)] if piece is not None]

    def merge_snapshot(self, choice: int, number: int) -> None:
        """Read the rest of a snapshot and merge it into a region. It may be merged again later."""
        if not self.snapshots:
            return
        snapshot, read = self.snapshots[choice % len(self.snapshots)]
        read += snapshot
        self.merge_into(self.site(number), read, snapshot.vector)

    def merge_into(self, sink: Site, pieces: list[bytes], vector: Vector) -> None:
        """Merge the pieces of a snapshot into a region and check the region."""
        self.send(sink)
        together = join(sink.replica.vector, vector)
        sink.replica.merge(pieces)
        self.checks.count("merge equals operations")
        assert dominates(sink.replica.vector, together), "a merge lost what it knew"
        self.checks.check(sink, self.steps)

    def report(self, source: int, sink: int) -> None:
        """Let a region report its vector to another."""
        site, other = self.site(source), self.site(sink)
        self.send(site)
        report = (site.region, site.replica.vector, site.expiry_clock)
        self.reports.append(report)
        site.reported = join(site.reported, report[1])
        if site is not other:
            other.replica.record_report(*report)

    def gossip(self, first: int, second: int) -> None:
        """Let all regions report their vectors to all others."""
        for source in range(len(self.sites)):
            for sink in range(len(self.sites)):
                self.report(source, sink)

    def repeat(self, choice: int, sink: int) -> None:
        """Deliver an earlier report again."""
        if self.reports:
            report = self.reports[choice % len(self.reports)]
            if report[0] != self.site(sink).region:
                self.site(sink).replica.record_report(*report)

    def collect(self, number: int, second: int) -> None:
        """Let a region collect garbage. Check that this changes no visible value anywhere."""
        site = self.site(number)
        self.send(site)
        if not self.has_caught_up(site):
            return
        db = site.replica.keyspace
        moments = [self.checks.moment(other) for other in self.sites]
        before, past = db.seq, self.checks.history(site.replica).visible
        seen = past
        site.replica.collect()
        for index, effect in enumerate(db.outbox):
            assert self.subject.collected is not None, "forgetting had an effect"
            self.checks.note(
                self.subject.collected(effect), make_dot(db.origin, before + index + 1), past
            )
            past |= 1 << self.checks.everything[-1].index
        self.checks.count("garbage collection is invisible")
        self.checks.check(site, self.steps)
        for moment in moments if past != seen else ():
            self.checks.check_unseen(moment, seen, past)

    def work(self, number: int, second: int) -> None:
        """Let a region do one slice of the work that is left."""
        site = self.site(number)
        if not site.replica.is_settled():
            assert site.replica.work() == site.replica.has_work()
            self.checks.count("work in slices changes nothing")
            self.checks.check(site, self.steps)

    def advance(self, number: int, choice: int) -> None:
        """Advance the clock of one region or of all, or set it back."""
        index = number % (2 * len(self.sites))
        for site in [self.sites[index]] if index < len(self.sites) else self.sites:
            site.clock = max(0, site.clock + AHEAD[choice % len(AHEAD)])
            site.reached = max(site.reached, site.clock)
            site.replica.advance(site.clock)

    def save(self, number: int, second: int) -> None:
        """Save the state of a region for a later restart."""
        self.site(number).saved.append(self.site(number).replica.to_bytes())

    def restart(self, number: int, choice: int) -> None:
        """Restart a region under a new incarnation, from a saved state or empty. Sometimes it
        keeps its data and only takes the new incarnation."""
        site = self.site(number)
        expiry_clock = site.expiry_clock
        site.incarnation += 1
        if choice % NOTHING_LOST == NOTHING_LOST - 1:
            self.send(site)
            site.replica.reincarnate(make_origin(site.region, site.incarnation))
            return
        site.replica = self.make(site.region, site.incarnation)
        site.replica.advance(expiry_clock)
        site.replica.advance(site.clock)
        if site.saved:
            site.replica.merge_bytes(site.saved[choice % len(site.saved)])
        site.vector = {}

    def converge(self, first: int, second: int) -> None:
        """Exchange everything between all regions, despite cuts. Check that they agree."""
        for site in self.sites:
            self.send(site)
        for _ in self.sites:
            for source in self.sites:
                for sink in self.sites:
                    vector = sink.replica.keyspace.vector
                    if not dominates(vector, source.replica.keyspace.vector):
                        self.bring(source, sink)
        vector = self.sites[0].replica.vector
        for site in self.sites:
            self.checks.count("replicas that received everything agree")
            site.waiting.clear()
            if site.replica.vector != vector:
                raise Disagreement("replicas that received everything agree", "vectors differ")
            self.checks.check(site, self.steps)
        self.gossip(0, 0)
        if self.twin.vector == vector:
            self.checks.count("garbage collection is invisible")
            now = max(site.expiry_clock for site in self.sites)
            if digest_at(self.twin, now) != digest_at(self.sites[0].replica, now):
                message = "the twin that never collects differs"
                raise Disagreement("garbage collection is invisible", message)


STEPS: Final[dict[str, Callable[[World, int, int], None]]] = {
    "write": World.write,
    "deliver": World.deliver,
    "duplicate": World.duplicate,
    "pull": World.pull,
    "cut": World.cut,
    "heal": World.heal,
    "open": World.open_snapshot,
    "read": World.read_snapshot,
    "merge": World.merge_snapshot,
    "report": World.report,
    "gossip": World.gossip,
    "repeat": World.repeat,
    "collect": World.collect,
    "advance": World.advance,
    "save": World.save,
    "restart": World.restart,
    "settle": World.converge,
    "work": World.work,
}


def has_deadlines(value: Value) -> bool:
    """Return whether parts of a value expire, or have expired and are not removed yet."""
    return bool(value.next_deadline() or value.hidden_since())
