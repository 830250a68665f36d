"""A region's vector never goes back, and its own component is what it made.

A vector that shrinks would let operations be applied a second time (I13). A region that claims more
or less of its own than it made will reuse dots or leave them out (I14).

Not checked: lives. A region that lost its memory starts from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Vector, dominates
from sim.checkers.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.ledger import Entry, Ledger
from sim.nodes.mirror import Change


class Growth(Checker):
    """Forwards only."""

    promise: ClassVar[str] = "growing vectors"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.before: dict[str, Vector] = {}
        self.steps: dict[str, Vector] = {}
        """How far the operations lead that were seen since."""

    def started(self, region: Watched) -> None:
        self.before[region.name] = dict(region.replica.keyspace.vector)
        self.steps[region.name] = {}

    def made(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def met(self, region: Watched, entry: Entry) -> None:
        self.steps[region.name][entry.origin] = entry.last

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare with the step before."""
        db, name = region.replica.keyspace, region.name
        before, steps = self.before[name], self.steps[name]
        self.steps[name] = {}
        if db.vector != before:
            self.looked += 1
            after = before | steps
            is_seen = db.vector == after and dominates(steps, {o: before.get(o, 0) for o in steps})
            if not is_seen and not dominates(db.vector, before):
                raise self.broken(f"{name} went back from {shown(before)} to {shown(db.vector)}")
            self.before[name] = after if is_seen else dict(db.vector)
        if db.vector.get(db.origin, 0) != db.seq:
            raise self.broken(
                f"{name} made {db.seq} effects and claims {db.vector.get(db.origin, 0)}"
            )
