"""Dot uniqueness: a dot names one effect forever, and only ops that were made are applied.

Two different ops with the same dot would make convergence impossible (I10). A replica that lost its
memory and continued to use its origin would make such ops. So would a region whose incarnation is
not on disk yet, after a crash: it must not write before. An applied op must equal, byte for byte,
the op that its origin made (I7).

Not checked: snapshots, which contain dots but no ops.
"""

from __future__ import annotations

from typing import ClassVar

from crdt.causality.dots import Origin, name_origin
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory


class IdentityChecker(Checker):
    """Checks that dots are unique."""

    promise: ClassVar[str] = "dot uniqueness"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.made_by: dict[Origin, int] = {}

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """Check that the dots of a new op follow those of the origin's previous op, and that the
        origin is on disk. Raises Violation."""
        self.looked += 1
        if entry.origin == region.replica.origin and not region.is_on_disk:
            raise self.violation(
                f"{region.name} writes {entry}, and its incarnation is not on disk"
            )
        last = self.made_by.get(entry.origin, 0)
        if entry.first <= last:
            raise self.violation(
                f"{region.name} used {name_origin(entry.origin)}:{entry.first} twice"
            )
        if entry.first > last + 1:
            raise self.violation(f"{region.name} left out dots before {entry}")
        self.made_by[entry.origin] = entry.last

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        """Check that a received op equals the op that its origin made."""
        known = self.run_history.find_by_first(entry.origin, entry.first)
        if known is None:
            raise self.violation(f"{region.name} applied {entry}, which nobody made")
        if known.data != entry.data:
            raise self.violation(
                f"{region.name} applied another {entry} than the one that was made"
            )
