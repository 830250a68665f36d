"""A region's vector never goes back, and its own component is what it made.

A vector that shrinks would let operations be applied a second time (I13). A region that claims more
or less of its own than it made will reuse dots or leave them out (I14).

Not checked: lives. A region that lost its memory starts from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.dots import Vector, dominates
from sim.checkers.checker import Checker, Watched
from sim.checkers.convergence import shown
from sim.ledger import Ledger
from sim.mirror import Change


class Growth(Checker):
    """Forwards only."""

    promise: ClassVar[str] = "growing vectors"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.before: dict[str, Vector] = {}

    def started(self, region: Watched) -> None:
        self.before[region.name] = region.replica.vector

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare with the step before."""
        db = region.replica.keyspace
        before = self.before[region.name]
        if db.vector == before:
            return
        self.looked += 1
        if not dominates(db.vector, before):
            raise self.broken(f"{region.name} went back from {shown(before)} to {shown(db.vector)}")
        if db.vector.get(db.origin, 0) != db.seq:
            raise self.broken(
                f"{region.name} made {db.seq} effects and claims {db.vector.get(db.origin, 0)}"
            )
        self.before[region.name] = dict(db.vector)
