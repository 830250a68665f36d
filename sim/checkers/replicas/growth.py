"""Growing vectors: a region's vector never shrinks, and its own component counts its effects.

If a vector shrinks, ops can be applied a second time (I13). If a region's own component differs
from the number of its effects, the region will reuse or skip dots (I14).

Not checked: the change from one incarnation to the next, which starts empty.
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
        """The components that the ops of the present turn have reached."""

    def on_region_started(self, region: Watched) -> None:
        self.before[region.name] = dict(region.replica.keyspace.vector)
        self.steps[region.name] = {}

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare the vector with that of the previous turn."""
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
