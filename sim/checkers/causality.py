"""Operations come in the order of each origin without a gap, and after all that they depend on.

Checked for every operation as it is applied (I11, I12), and after every step for what the region
then claims to have: its vector must end between operations, so that none is half applied, and with
each operation contain all that its region had seen (I14, I18). That also covers snapshots.

Not checked: the order within one step when a backlog is so short that it forgets within the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.dots import Vector, dominates
from sim.checkers.checker import Checker, Watched
from sim.checkers.convergence import shown
from sim.ledger import Entry, Ledger
from sim.mirror import Change


class Causality(Checker):
    """Nothing before what it depends on."""

    promise: ClassVar[str] = "causality"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.reached: dict[str, Vector] = {}
        self.known: dict[str, Vector] = {}
        """What each region had at the end of its last step."""

    def started(self, region: Watched) -> None:
        self.reached[region.name] = region.replica.vector
        self.known[region.name] = {}

    def jumped(self, region: Watched) -> None:
        self.reached[region.name] = region.replica.vector

    def made(self, region: Watched, entry: Entry) -> None:
        self.reached[region.name][entry.origin] = entry.last

    def applied(self, region: Watched, entry: Entry) -> None:
        """One operation, in its turn."""
        self.looked += 1
        reached = self.reached[region.name]
        before = reached.get(entry.origin, 0)
        if before != entry.first - 1:
            raise self.broken(f"{region.name} applied {entry} after {before} of its origin")
        if not dominates(reached, entry.past):
            raise self.broken(
                f"{region.name} applied {entry}, which had seen {shown(entry.past)},"
                f" but has only {shown(reached)}"
            )
        reached[entry.origin] = entry.last

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """The whole claim."""
        vector = region.replica.keyspace.vector
        known = self.known[region.name]
        if vector == known:
            return
        lacking = self.ledger.lacking(vector, known if dominates(vector, known) else {})
        if lacking:
            raise self.broken(f"{region.name} has {shown(vector)}, but {lacking}")
        self.known[region.name] = dict(vector)
        if vector != self.reached[region.name]:
            # Some operations were applied unseen; what they add up to makes sense, as was checked.
            self.reached[region.name] = dict(vector)
