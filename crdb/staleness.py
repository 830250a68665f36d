"""Whether a region may write: not while it lacks what it wrote in an earlier life (rules STL-1,
STL-2). Neither may its clients, nor its collector, whose deletes are writes too. Reads go on.
"""

from __future__ import annotations

from typing import Final

from crdb.instance import Instance
from replication.links import Links

STALE: Final = b"STALE this region has restarted and has not caught up with its peers yet"


class Staleness:
    """Steers who may write in one region."""

    def __init__(self, instance: Instance, links: Links) -> None:
        self.instance = instance
        self.links = links
        self.merges = 0
        """How many snapshots had been merged when the region became stale."""

    def begin(self) -> None:
        """We have lost what we wrote."""
        self.instance.refuse_writes = STALE
        self.links.collects = False
        self.merges = self.links.replica.merges

    def end(self) -> None:
        """It is here again, if it is anywhere; see `replication.recovery`."""
        if self.instance.refuse_writes == STALE:
            self.instance.refuse_writes = None
            self.links.collects = True
            merged = self.links.replica.merges > self.merges
            self.instance.stale_released_with_merge = merged
