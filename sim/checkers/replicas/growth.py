"""A region's vector never goes back, and its own component is what it made.

A vector that shrinks would let operations be applied a second time (I13). A region that claims more
or less of its own than it made will reuse dots or leave them out (I14).

Not checked: lives. A region that lost its memory starts from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Vector, dominates
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change


class GrowthChecker(Checker):
    """Checks that vectors grow."""

    promise: ClassVar[str] = "growing vectors"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.before: dict[str, Vector] = {}
        self.steps: dict[str, Vector] = {}
        """How far the operations lead that were seen since."""

    def on_region_started(self, region: Watched) -> None:
        self.before[region.name] = dict(region.replica.keyspace.vector)
        self.steps[region.name] = {}

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare with the step before."""
        db, name = region.replica.keyspace, region.name
        before, steps = self.before[name], self.steps[name]
        self.steps[name] = {}
        if db.vector != before:
            self.looked += 1
            after = before | steps
            is_seen = db.vector == after and dominates(steps, {o: before.get(o, 0) for o in steps})
            if not is_seen and not dominates(db.vector, before):
                raise self.violation(f"{name} went back from {shown(before)} to {shown(db.vector)}")
            self.before[name] = after if is_seen else dict(db.vector)
        if db.vector.get(db.origin, 0) != db.seq:
            raise self.violation(
                f"{name} made {db.seq} effects and claims {db.vector.get(db.origin, 0)}"
            )
