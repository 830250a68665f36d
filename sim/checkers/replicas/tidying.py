"""Tidying: the lowest region deletes a key soon after it has expired in all regions.

Nobody sees such a key any more, but it takes memory in every region. A collection deletes a limited
number of keys. If there are more, the next collection must follow immediately.

Not checked: regions that do not collect, because they have not caught up, and paused regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from replication.protocol.limits import MS
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

LOOK_MS: Final = 250  # between two looks at the keys of a region
LATE_MS_MAX: Final = 500


class TidyingChecker(Checker):
    """Checks that expired keys are deleted."""

    promise: ClassVar[str] = "tidying"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.expired: dict[str, dict[bytes, int]] = {}
        """By region: the keys that have expired in all regions, and when that was first seen."""
        self.looked_at: dict[str, int] = {}

    def on_region_started(self, region: Watched) -> None:
        self.expired[region.name] = {}
        self.looked_at[region.name] = region.now_ms

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Look at the keys of the region that deletes expired keys. Raises Violation."""
        now, replica = region.now_ms, region.replica
        if now < self.looked_at[region.name] + LOOK_MS:
            return
        self.looked_at[region.name] = now
        if (
            not region.links.collects
            or region.was_paused
            or not replica.stability.leads(replica.region)
        ):
            self.expired[region.name] = {}
            return
        db, before = replica.keyspace, self.expired[region.name]
        clock = replica.stability.clock(db.expiry_clock)
        self.looked += db.deadline_count() > 0
        expired = {
            key: before.get(key, now)
            for key in (db.held_keys() if db.deadline_count() else ())
            if (deadline := db.deadline(key)) is not None and deadline < clock
        }
        self.expired[region.name] = expired
        late = region.links.limits.collect_ns // MS + LATE_MS_MAX
        for key, since in expired.items():
            if now - since > late:
                raise self.violation(
                    f"{region.name} keeps {key!r}, which expired in all regions {now - since} ms"
                    f" ago, as one of {len(expired)} keys"
                )
