"""Causality: ops are applied in the order of their origin, without gaps, after their dependencies.

Each op is checked when it is applied (I11, I12). After every turn, the region's vector is checked
too: it must not cover only a part of an op, and for each op it must cover the vector that the op's
region had observed (I14, I18). This also checks snapshots.

Not checked: the order within one turn, if the backlog is too short to keep all ops of the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Vector, dominates
from crdt.store.keyspace import Keyspace
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
        """The vector of each region, as computed from its ops."""
        self.known: dict[str, Vector] = {}
        """An earlier vector of each region's incarnation that was checked to be causally closed."""
        self.unsure: set[str] = set()
        """The regions with data whose ops were not checked one by one, such as a snapshot."""

    def on_region_started(self, region: Watched) -> None:
        self.known[region.name] = {}
        self.on_history_jump(region)

    def on_history_jump(self, region: Watched) -> None:
        self.reached[region.name] = dict(region.replica.keyspace.vector)
        self.unsure.add(region.name)

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        self.reached[region.name][entry.origin] = entry.last

    def on_op_applied(self, region: Watched, entry: Entry) -> None:
        """Check one op. Its deps are relative to the previous op, which was checked before."""
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
        """Check the vector of a region: it equals the checked ops, or it is causally closed."""
        name, vector = region.name, sealed_vector(region.replica.keyspace)
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


def sealed_vector(db: Keyspace) -> Vector:
    """Return a region's vector without the effects that are not part of an op yet."""
    pending = db.pending_count()
    if not pending:
        return db.vector
    vector = {**db.vector, db.origin: db.seq - pending}
    if db.seq == pending:
        del vector[db.origin]
    return vector
