"""Operations come in the order of each origin without a gap, and after all that they depend on.

Checked for every operation as it is applied (I11, I12), and after every step for what the region
then claims to have: its vector must end between operations, so that none is half applied, and with
each operation contain all that its region had seen (I14, I18). That also covers snapshots.

Not checked: the order within one step when a backlog is so short that it forgets within the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Vector, dominates
from sim.checkers.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.ledger import EMPTY, Entry, Ledger
from sim.nodes.mirror import Change


class Causality(Checker):
    """Nothing before what it depends on."""

    promise: ClassVar[str] = "causality"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.reached: dict[str, Vector] = {}
        """What each region has by the operations that were seen in their turn."""
        self.known: dict[str, Vector] = {}
        """A vector that each region had in this life, and that made sense."""
        self.unsure: set[str] = set()
        """Regions that have something of which the operations were not seen."""

    def started(self, region: Watched) -> None:
        self.known[region.name] = {}
        self.jumped(region)

    def jumped(self, region: Watched) -> None:
        self.reached[region.name] = dict(region.replica.keyspace.vector)
        self.unsure.add(region.name)

    def made(self, region: Watched, entry: Entry) -> None:
        self.reached[region.name][entry.origin] = entry.last

    def applied(self, region: Watched, entry: Entry) -> None:
        """One operation, in its turn. What its region had seen at the one before need not be looked
        at again."""
        self.looked += 1
        reached = self.reached[region.name]
        before = reached.get(entry.origin, 0)
        if before != entry.first - 1:
            raise self.broken(f"{region.name} applied {entry} after {before} of its origin")
        if not dominates(reached, entry.deps):
            past = self.ledger.past(entry)
            raise self.broken(
                f"{region.name} applied {entry}, which had seen {shown(past)},"
                f" but has only {shown(reached)}"
            )
        reached[entry.origin] = entry.last

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """The whole claim: what was seen in its turn, or else something that makes sense."""
        name, vector = region.name, region.replica.keyspace.vector
        if vector == self.reached[name] and name not in self.unsure:
            return
        known = self.known[name]
        lacking = self.ledger.lacking(vector, known if dominates(vector, known) else EMPTY)
        if lacking:
            raise self.broken(f"{name} has {shown(vector)}, but {lacking}")
        self.known[name], self.reached[name] = dict(vector), dict(vector)
        self.unsure.discard(name)
