"""One dot names one effect, for ever; and nothing is applied that nobody made.

Two different operations under one dot are the end of all agreement (I10): a replica that lost its
memory and went on counting would make them. What is applied must be, byte for byte, what its origin
made (I7).

Not checked: what a snapshot brings, which names dots but not operations.
"""

from __future__ import annotations

from typing import ClassVar

from crdt.causality.dots import Origin, name_origin
from sim.engine.checker import Checker, Watched
from sim.nodes.ledger import Entry, Ledger


class Identity(Checker):
    """No dot twice."""

    promise: ClassVar[str] = "dot uniqueness"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.made_by: dict[Origin, int] = {}

    def made(self, region: Watched, entry: Entry) -> None:
        """Count on, without a gap."""
        self.looked += 1
        last = self.made_by.get(entry.origin, 0)
        if entry.first <= last:
            raise self.broken(f"{region.name} used {name_origin(entry.origin)}:{entry.first} twice")
        if entry.first > last + 1:
            raise self.broken(f"{region.name} left out dots before {entry}")
        self.made_by[entry.origin] = entry.last

    def met(self, region: Watched, entry: Entry) -> None:
        """Nothing but what was made."""
        known = self.ledger.find(entry.origin, entry.first)
        if known is None:
            raise self.broken(f"{region.name} applied {entry}, which nobody made")
        if known.data != entry.data:
            raise self.broken(f"{region.name} applied another {entry} than the one that was made")
