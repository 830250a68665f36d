"""Stability: every op that a region does not have yet had observed the region's stable vector.

A region forgets metadata below its stable vector for good. The result of a mistake is visible only
after a rare combination: a delete, an increment that had not observed it, and a collection between
the two. Therefore the checker tests the claim itself, which docs/design/005 proves. If a region has
a stable vector, then:

* each op that any live region has applied or buffered, and that this region lacks, had observed the
  stable vector;
* the next op of any live region will have observed it.

Not checked: ops that are only in flight, and the next ops of regions that must not write. Some
incarnations are exempt: those that did not know of earlier ones (STL-3), and those that may have
recovered only from peers that had lost their memory too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, Vector, name_origin
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 8  # the claim is checked in one of so many turns of all regions


class StabilityChecker(Checker):
    """Checks stable vectors."""

    promise: ClassVar[str] = "stability"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.up: dict[str, Watched] = {}
        self.down: set[str] = set()
        self.careless: set[str] = set()
        """The regions whose present incarnation is exempt."""
        self.exempt: set[Origin] = set()
        """The origins of exempt incarnations that have made ops."""
        self.turns = 0

    def on_region_started(self, region: Watched) -> None:
        name, others = region.name, self.up.values()
        may_teach = all(o.has_caught_up and o.name not in self.careless for o in others)
        self.down.discard(name)
        self.careless.discard(name)
        if region.is_unaware or self.down or not may_teach:
            self.careless.add(name)
        self.up[name] = region

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        if region.name in self.careless:
            self.exempt.add(entry.origin)

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]
        self.down.add(region.name)
        for other in self.up.values():
            if not other.has_caught_up:
                self.careless.add(other.name)  # it may have needed this region to recover

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the stable vector of one region."""
        self.turns += 1
        if self.turns % SAMPLE:
            return
        stable = region.replica.stable()
        if not stable:
            return
        self.looked += 1
        mine = region.replica.keyspace.vector
        for other in self.up.values():
            theirs = other.replica.keyspace.vector
            for origin, seq in (*theirs.items(), *describe_waiting(other).items()):
                if seq > mine.get(origin, 0):
                    self.check_next_region(region, stable, origin)
            if other.has_caught_up and other.name not in self.careless:
                self.check_stable_vector(region, stable, theirs, f"{other.name} may write and has")

    def check_next_region(self, region: Watched, stable: Vector, origin: Origin) -> None:
        """Check the first op of an origin that a region lacks. Later ops have observed more."""
        entry = self.run_history.find_by_first(
            origin, region.replica.keyspace.vector.get(origin, 0) + 1
        )
        if entry is not None and origin not in self.exempt:
            seen = {**self.run_history.observed_before(entry), origin: entry.first - 1}
            self.check_stable_vector(
                region, stable, seen, f"{entry} is still to come, which had seen"
            )

    def check_stable_vector(
        self, region: Watched, stable: Vector, seen: Vector, whose: str
    ) -> None:
        """Check that `seen` covers the stable vector. Raises Violation."""
        for origin, seq in stable.items():
            if seen.get(origin, 0) < seq:
                raise self.violation(
                    f"{region.name} takes {name_origin(origin)}:{seq} for stable,"
                    f" but {whose} {shown(seen) or 'nothing'}"
                )


def describe_waiting(region: Watched) -> Vector:
    """Return the last effect of each origin in a region's causal buffer."""
    buffer = region.replica.causal_buffer
    return {origin: buffer.waiting(origin)[-1].last for origin in buffer.origins()}
