"""Coverage probes: rare events that a campaign must have seen to be worth much.

Faults are injected from outside. A probe counts their effects inside the database. Examples are a
backlog that did not reach back far enough, a gap that a third region filled, and an op that had to
wait for its dependencies. Most counts come from the operator's metrics and from link events. Checks
that are made at the end of some runs only are counted like rare events.
"""

from __future__ import annotations

from typing import Final

from sim.world import eviction
from sim.world.client_checks import CLIENT_CHECKS
from sim.world.world import SimWorld

# The probe that each kind of link event counts for.
EVENTS: Final = {
    "Resynced": "resynced",
    "SnapshotWanted": "backlog did not reach",
    "Merged": "snapshot merged",
    "GapFound": "gap found",
    "GapUnfilled": "gap not filled by the one asked",
    "Stalled": "too much waited and a link rested",
    "Closed": "link lost",
    "OriginReused": "own dots met that were forgotten",
    "EarlierIncarnation": "earlier incarnation found",
}
NAMES: Final = (
    *EVENTS.values(),
    "partial resync",
    "full resync",
    "operation came twice",
    "damaged bytes noticed",
    "no answer when dialling",
    "key with several types",
    "garbage collected",
    "concurrent writes at the same time of day",
    "region lived again",
    "sent again after a loss",
    "converged under a fault that lasts",
    "wrong frame ended its link",
    "operation divided",
    "written during a full resync",
    "crash of snapshot peer in a full resync",
    "crash of receiver in a full resync",
    "follower promoted",
    "follower began anew",
    "follower got a snapshot",
    "follower went on from a backlog",
    *CLIENT_CHECKS,
    eviction.PROMISE,
)


def coverage_counts(world: SimWorld) -> dict[str, int]:
    """Return the count of each probe in `NAMES` for a world."""
    seen = dict.fromkeys(NAMES, 0)
    for event, name in EVENTS.items():
        seen[name] += world.events.get(event, 0)
    for site in world.sites.values():
        for tally in site.links.tallies.values():
            seen["partial resync"] += tally.partial_ok
            seen["full resync"] += tally.full
        statistics = site.replica.statistics()
        seen["operation came twice"] += statistics.operations_duplicate
        seen["garbage collected"] += statistics.garbage_collected
        seen["damaged bytes noticed"] += site.damaged
        seen["no answer when dialling"] += sum(
            connector.failures for connector in site.connectors.values()
        )
        seen["region lived again"] += site.starts - 1
        seen["wrong frame ended its link"] += site.rejected
        seen["operation divided"] += site.divided
        seen["written during a full resync"] += site.written_meanwhile
        db = site.replica.keyspace
        seen["key with several types"] += sum(map(db.is_contested, db.held_keys()))
    seen["concurrent writes at the same time of day"] = world.run_history.book.ties
    seen["sent again after a loss"] = world.network.total_traffic().retransmitted
    for name, count in world.probes.items():
        seen[name] += count
    for copy in world.copies.values():
        seen["follower promoted"] += copy.promotions
        seen["follower began anew"] += copy.beginnings - copy.commanded_starts
        seen["follower got a snapshot"] += copy.snapshots
        seen["follower went on from a backlog"] += copy.resumptions
    return seen
