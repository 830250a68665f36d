"""No acknowledged write of a surviving region is lost.

A region owes every write that it acknowledged, until it loses its memory; then those are owed that
somebody else has applied by then, or that its kept snapshot holds. The same goes for all that it
had of others, who may have lost it before. In the end all regions must have what is owed (I6, I27),
and hold what a replica holds that got every operation once and in order.

Not checked: that a write's effect is still to be seen, beyond that comparison; see `specification`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Origin, Vector, name_origin
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from sim.checkers.explain import Holder, entries_text, explain, in_order, missing_text
from sim.engine.checker import Checker, Watched
from sim.nodes.ledger import Entry, Ledger
from sim.nodes.mirror import Mirror


class Durability(Checker):
    """What was acknowledged is there."""

    promise: ClassVar[str] = "durability"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.owed: Vector = {}
        self.lost: dict[Origin, int] = {}
        """Of dead origins: how many effects they made beyond what is owed."""

    def made(self, region: Watched, entry: Entry) -> None:
        """Every operation is acknowledged as soon as it is made."""
        self.owed[entry.origin] = max(entry.last, self.owed.get(entry.origin, 0))

    def stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """What of all that it had do others have?"""
        vectors = [each.replica.keyspace.vector for each in survivors]
        for origin, seq in self.owed.items():
            kept = min(seq, max((vector.get(origin, 0) for vector in vectors), default=0))
            self.lost[origin] = self.lost.get(origin, 0) + seq - kept
            self.owed[origin] = kept

    def started(self, region: Watched) -> None:
        """What a kept snapshot holds is owed again."""
        for origin, seq in region.replica.keyspace.vector.items():
            self.owed[origin] = max(seq, self.owed.get(origin, 0))

    def ended(self, regions: Sequence[Watched]) -> None:
        """All of it is everywhere, and means what it meant."""
        for region in regions:
            for origin in sorted(self.owed):
                seq = region.replica.keyspace.vector.get(origin, 0)
                self.looked += self.owed[origin]
                if seq < self.owed[origin]:
                    raise self.broken(
                        f"{region.name} has {name_origin(origin)} up to {seq},"
                        f" {self.owed[origin]} were acknowledged{self.explain_loss(region)}"
                    )
        self.compare(regions[0])

    def compare(self, region: Watched) -> None:
        """With a replica that got everything in order."""
        twin = Replica(255)
        for entry in self.ledger.within(region.replica.keyspace.vector):
            outcome = twin.accept(Op.from_bytes(entry.data))
            if outcome is not Outcome.APPLIED:
                text = entries_text(self.ledger, [entry])
                raise self.broken(f"{entry} does not follow from what was before: {text}")
        mirror = Mirror(twin.keyspace)
        mirror.refresh()
        clock = region.replica.keyspace.horizon
        if not mirror.fingerprint().same(region.mirror.fingerprint(), clock):
            here = Holder(region.name, region.mirror)
            vector = region.replica.keyspace.vector
            raise self.broken(
                f"{region.name} does not hold what its operations add up to"
                + explain(self.ledger, here, [in_order(self.ledger, vector)], clock, vector)
            )

    def explain_loss(self, region: Watched) -> str:
        """Return which acknowledged operations a region lacks, and what it holds instead."""
        vector = region.replica.keyspace.vector
        owed = {origin: max(seq, vector.get(origin, 0)) for origin, seq in self.owed.items()}
        here, twin = Holder(region.name, region.mirror), in_order(self.ledger, owed)
        clock = region.replica.keyspace.horizon
        lacking = missing_text(self.ledger, region.name, vector, owed)
        return lacking + explain(self.ledger, here, [twin], clock, owed)
