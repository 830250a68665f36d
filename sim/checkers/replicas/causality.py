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
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import EMPTY, Entry, RunHistory
from sim.nodes.state_hash import Change


class CausalityChecker(Checker):
    """Checks that each operation is applied after those it depends on."""

    promise: ClassVar[str] = "causality"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.reached: dict[str, Vector] = {}
        """What each region has by the operations that were seen in their turn."""
        self.known: dict[str, Vector] = {}
        """A vector that each region had in this life, and that made sense."""
        self.unsure: set[str] = set()
        """Regions that have something of which the operations were not seen."""

    def on_region_started(self, region: Watched) -> None:
        self.known[region.name] = {}
        self.on_history_jump(region)

    def on_history_jump(self, region: Watched) -> None:
        self.reached[region.name] = dict(region.replica.keyspace.vector)
        self.unsure.add(region.name)

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        self.reached[region.name][entry.origin] = entry.last

    def on_op_applied(self, region: Watched, entry: Entry) -> None:
        """Check one operation in its turn. The deps of the operation before it need not be looked
        at again."""
        self.looked += 1
        reached = self.reached[region.name]
        before = reached.get(entry.origin, 0)
        if before != entry.first - 1:
            raise self.violation(f"{region.name} applied {entry} after {before} of its origin")
        if not dominates(reached, entry.deps):
            past = self.run_history.observed_before(entry)
            raise self.violation(
                f"{region.name} applied {entry}, which had seen {shown(past)},"
                f" but has only {shown(reached)}"
            )
        reached[entry.origin] = entry.last

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """The whole claim: what was seen in its turn, or else something that makes sense."""
        name, vector = region.name, region.replica.keyspace.vector
        if vector == self.reached[name] and name not in self.unsure:
            return
        known = self.known[name]
        lacking = self.run_history.explain_unclosed(
            vector, known if dominates(vector, known) else EMPTY
        )
        if lacking:
            raise self.violation(f"{name} has {shown(vector)}, but {lacking}")
        self.known[name], self.reached[name] = dict(vector), dict(vector)
        self.unsure.discard(name)
