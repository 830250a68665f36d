"""Stability: every op that a region does not have yet had observed the region's stable vector.

A region forgets metadata below its stable vector for good. The result of a mistake is visible only
after a rare combination: a delete, an increment that had not observed it, and a collection between
the two. Therefore the checker tests the claim itself, which docs/design/005 proves. If a region has
a stable vector, then:

* each op that any live region has applied or buffered, and that this region lacks, had observed the
  stable vector;
* the next op of any live region will have observed it.

A follower forgets what the regions of its sources take for stable. Of each source, the next op that
the follower lacks must have observed that.

Not checked: ops that are only in flight, the next ops of regions that must not write, and the ops
of incarnations that are exempt (see `uninformed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, Vector, name_origin
from sim.checkers.replicas.convergence import shown
from sim.checkers.replicas.uninformed import UninformedChecker
from sim.engine.checker import Followed, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 8  # the claim is checked in one of so many turns of all regions


class StabilityChecker(UninformedChecker):
    """Checks stable vectors."""

    promise: ClassVar[str] = "stability"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.turns = 0

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the stable vector of one region."""
        self.turns += 1
        if self.turns % SAMPLE:
            return
        stable = region.replica.stable()
        if not stable:
            return
        self.looked += 1
        name, mine = region.name, region.replica.keyspace.vector
        for other in self.up.values():
            theirs = other.replica.keyspace.vector
            for origin, seq in (*theirs.items(), *describe_waiting(other).items()):
                if seq > mine.get(origin, 0):
                    self.check_next_op(name, mine, stable, origin)
            if other.has_caught_up and other.name not in self.careless:
                self.check_stable_vector(name, stable, theirs, f"{other.name} may write and has")

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check the stable vector of one follower."""
        self.turns += 1
        stable = copy.replica.stable() if self.turns % SAMPLE == 0 and copy.is_following else {}
        if not stable or copy.holds_old:
            return
        self.looked += 1
        for source, claim in copy.claims().items():
            region = self.up.get(source)
            if region is None:
                continue
            named = copy.origin_maps[source].back(stable)
            for origin, seq in region.replica.keyspace.vector.items():
                if seq > claim.get(origin, 0):
                    self.check_next_op(copy.name, claim, named, origin)

    def check_next_op(self, name: str, mine: Vector, stable: Vector, origin: Origin) -> None:
        """Check the first op of an origin that a replica at `mine` lacks. Later ops have observed
        more."""
        entry = self.run_history.find_by_first(origin, mine.get(origin, 0) + 1)
        if entry is not None and origin not in self.exempt:
            seen = {**self.run_history.observed_before(entry), origin: entry.first - 1}
            self.check_stable_vector(
                name, stable, seen, f"{entry} is still to come, which had seen"
            )

    def check_stable_vector(self, name: str, stable: Vector, seen: Vector, whose: str) -> None:
        """Check that `seen` covers the stable vector. Raises Violation."""
        for origin, seq in stable.items():
            if seen.get(origin, 0) < seq:
                raise self.violation(
                    f"{name} takes {name_origin(origin)}:{seq} for stable,"
                    f" but {whose} {shown(seen) or 'nothing'}"
                )


def describe_waiting(region: Watched) -> Vector:
    """Return the last effect of each origin in a region's causal buffer."""
    buffer = region.replica.causal_buffer
    return {origin: buffer.waiting(origin)[-1].last for origin in buffer.origins()}
