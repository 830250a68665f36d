"""Durability: no acknowledged write is lost, unless every region that had it lost its memory.

All acknowledged writes must survive. When a region loses its memory, this no longer applies to
writes that no other live region has applied. If the region restarts from a snapshot, it applies
again to the writes in that snapshot.

At the end of a run, all regions must have all surviving writes (I6, I27). Their state must equal
that of a replica that has applied every op once and in order.

Not checked: the visible result of a write, beyond that comparison; see `specification`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Origin, Vector, name_origin
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from sim.checkers.replicas.explain import (
    Holder,
    entries_text,
    explain_key,
    in_both_orders,
    missing_text,
)
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import StateHash


class DurabilityChecker(Checker):
    """Checks that acknowledged writes survive."""

    promise: ClassVar[str] = "durability"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.owed: Vector = {}
        self.lost: dict[Origin, int] = {}
        """The number of effects of each origin that crashes have lost."""

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """Record that an op must survive. It is acknowledged as soon as it is made."""
        self.owed[entry.origin] = max(entry.last, self.owed.get(entry.origin, 0))

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """Reduce the writes that must survive to those that the survivors have."""
        vectors = [each.replica.keyspace.vector for each in survivors]
        for origin, seq in self.owed.items():
            kept = min(seq, max((vector.get(origin, 0) for vector in vectors), default=0))
            self.lost[origin] = self.lost.get(origin, 0) + seq - kept
            self.owed[origin] = kept

    def on_region_started(self, region: Watched) -> None:
        """Record that the writes of a kept snapshot must survive."""
        for origin, seq in region.replica.keyspace.vector.items():
            self.owed[origin] = max(seq, self.owed.get(origin, 0))

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check that all regions have all surviving writes. Raises Violation."""
        for region in regions:
            for origin in sorted(self.owed):
                seq = region.replica.keyspace.vector.get(origin, 0)
                self.looked += self.owed[origin]
                if seq < self.owed[origin]:
                    raise self.violation(
                        f"{region.name} has {name_origin(origin)} up to {seq},"
                        f" {self.owed[origin]} were acknowledged{self.explain_loss(region)}"
                    )
        self.check_survivors(regions[0])

    def check_survivors(self, region: Watched) -> None:
        """Compare a region with a replica that has applied every op in order."""
        twin = Replica(255)
        for entry in self.run_history.ops_within(region.replica.keyspace.vector):
            outcome = twin.accept(Op.from_bytes(entry.data))
            if outcome is not Outcome.APPLIED:
                text = entries_text(self.run_history, [entry])
                raise self.violation(f"{entry} does not follow from what was before: {text}")
        state_hash = StateHash(twin.keyspace)
        state_hash.drain_changes()
        clock = region.replica.keyspace.expiry_clock
        if not state_hash.fingerprint().is_equal_after(region.state_hash.fingerprint(), clock):
            here = Holder(region.name, region.state_hash)
            vector = region.replica.keyspace.vector
            raise self.violation(
                f"{region.name} does not hold what its operations add up to"
                + explain_key(
                    self.run_history,
                    here,
                    [in_both_orders(self.run_history, vector)],
                    clock,
                    vector,
                )
            )

    def explain_loss(self, region: Watched) -> str:
        """Describe the acknowledged ops that a region lacks, and a key that differs."""
        vector = region.replica.keyspace.vector
        owed = {origin: max(seq, vector.get(origin, 0)) for origin, seq in self.owed.items()}
        here, twin = Holder(region.name, region.state_hash), in_both_orders(self.run_history, owed)
        clock = region.replica.keyspace.expiry_clock
        lacking = missing_text(self.run_history, region.name, vector, owed)
        return lacking + explain_key(self.run_history, here, [twin], clock, owed)
