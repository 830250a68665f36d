"""One dot names one effect, for ever; and nothing is applied that nobody made.

Two different operations under one dot are the end of all agreement (I10): a replica that lost its
memory and went on counting would make them. An applied operation must be, byte for byte, the one
that its origin made (I7).

Not checked: what a snapshot brings, which names dots but not operations.
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
        """Count on, without a gap."""
        self.looked += 1
        last = self.made_by.get(entry.origin, 0)
        if entry.first <= last:
            raise self.violation(
                f"{region.name} used {name_origin(entry.origin)}:{entry.first} twice"
            )
        if entry.first > last + 1:
            raise self.violation(f"{region.name} left out dots before {entry}")
        self.made_by[entry.origin] = entry.last

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        """Nothing but what was made."""
        known = self.run_history.find_by_first(entry.origin, entry.first)
        if known is None:
            raise self.violation(f"{region.name} applied {entry}, which nobody made")
        if known.data != entry.data:
            raise self.violation(
                f"{region.name} applied another {entry} than the one that was made"
            )
