"""Convergence: regions with equal vectors have equal data, and in the end all regions are equal.

This also holds for a follower of one region (Replica Of), although the follower renames origins.

A region is checked after each turn if any region has had the same vector before (I1). The two
regions need not be connected. All regions are checked at the end (I3). Keys that have expired by
the latest clock are left out, because regions may delete them at different times.

Not checked: hidden parts of a value, except other types under the same key, and whether the value
is correct (see `specification`). A region is not checked while another write of a large string may
still replace the latest one in its outbox.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, Vector, name_origin
from sim.checkers.replicas.explain import Holder, explain_key, in_both_orders, missing_text
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change, Fingerprint

SEEN_MAX: Final = 50_000  # vectors remembered: minutes of a busy run, about 10 MB


class Standing:
    """A region's vector, with a hash of it that is updated incrementally."""

    __slots__ = ("mark", "vector")

    def __init__(self, vector: Vector) -> None:
        self.vector = dict(vector)
        self.mark = 0
        for place in vector.items():
            self.mark ^= hash(place)

    def advance(self, origin: Origin, seq: int) -> None:
        """Set the component of an origin, and update the hash."""
        before = self.vector.get(origin)
        if before is not None:
            self.mark ^= hash((origin, before))
        self.vector[origin] = seq
        self.mark ^= hash((origin, seq))


class ConvergenceChecker(Checker):
    """Checks that equal vectors mean equal data."""

    promise: ClassVar[str] = "convergence"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.seen: OrderedDict[int, tuple[str, Fingerprint]] = OrderedDict()
        """The first region with each vector and its fingerprint, by the hash of the vector."""
        self.standing: dict[str, Standing] = {}
        self.regions: dict[str, Watched] = {}
        self.clock = 0

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region
        self.standing[region.name] = Standing(region.replica.keyspace.vector)

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        self.standing[region.name].advance(entry.origin, entry.last)

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        self.standing[region.name].advance(entry.origin, entry.last)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare a region with the first region that had the same vector."""
        db = region.replica.keyspace
        self.clock = max(self.clock, db.expiry_clock)
        if db.is_rewritable():
            return  # another write of a large string may change the data under the same vector
        standing = self.standing[region.name]
        if standing.vector != db.vector:
            standing = self.standing[region.name] = Standing(db.vector)
        print_now = region.state_hash.fingerprint()
        known = self.seen.get(standing.mark)
        if known is None:
            self.seen[standing.mark] = region.name, print_now
            if len(self.seen) > SEEN_MAX:
                self.seen.popitem(last=False)
            return
        name, print_then = known
        if name != region.name:
            self.looked += 1
        if not print_then.is_equal_after(print_now, self.clock):
            raise self.violation(
                f"{region.name} and {name} have both applied {shown(db.vector)} and differ"
                + self.explain_difference(region, name, db.vector)
            )

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Compare a follower of one source with the first region that had the same vector."""
        if not copy.is_following or len(copy.origin_maps) > 1:
            return
        ((_, vector),) = copy.claims().items()
        known = self.seen.get(Standing(vector).mark)
        if known is not None:
            self.looked += 1
            name, print_then = known
            if not print_then.is_equal_after(copy.state_hash.fingerprint(), self.clock):
                raise self.violation(
                    f"{copy.name} has all that {name} had at {shown(vector)}, and differs"
                    + self.explain_difference(copy, name, vector)
                )

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check that all regions have equal vectors and equal data."""
        self.clock = max([self.clock, *(each.replica.keyspace.expiry_clock for each in regions)])
        first = regions[0]
        for other in regions[1:]:
            mine, theirs = first.replica.keyspace.vector, other.replica.keyspace.vector
            if mine != theirs:
                raise self.violation(
                    f"{first.name} has {shown(mine)}, {other.name} has {shown(theirs)}"
                    f"{missing_text(self.run_history, first.name, mine, theirs)}"
                    f"{missing_text(self.run_history, other.name, theirs, mine)}"
                    f"{self.explain_difference(first, other.name, mine)}"
                )
            self.looked += 1
            if not first.state_hash.fingerprint().is_equal_after(
                other.state_hash.fingerprint(), self.clock
            ):
                raise self.violation(
                    f"{first.name} and {other.name} differ in the end"
                    + self.explain_difference(first, other.name, mine)
                )

    def explain_difference(self, one: Watched | Followed, name: str, vector: Vector) -> str:
        """Describe a key that differs between a process and the region `name`."""
        here = Holder(one.name, one.state_hash)
        others = [] if name == one.name else [Holder(name, self.regions[name].state_hash)]
        others.append(in_both_orders(self.run_history, vector))
        return explain_key(self.run_history, here, others, self.clock, vector)


def shown(vector: Vector) -> str:
    """Return a vector as text, sorted by origin."""
    return " ".join(f"{name_origin(origin)}={vector[origin]}" for origin in sorted(vector))
