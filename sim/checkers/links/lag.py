"""Check the lag that a region reports of its peers.

The lag of a link is for how long the oldest of the region's own effects has not been acknowledged.
The simulator knows when each was made. A region notes that only when it says or hears something, so
it may say a little less, and of a new connection no more than its age; but it never says more.

Not checked: links to followers, the lag that sinks report, regions that were paused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import ClassVar, Final

from replication.machines.source import Source
from replication.protocol.limits import MS
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE_MS: Final = 100  # between two looks at the links of one region
LAST: Final = attrgetter("last")
ROUNDING_MS: Final = 2
APART_SHARE: Final = 16
"""A lag may be reported too small by this share of the longest: fewer moments are remembered."""


class LagChecker(Checker):
    """Checks the reported lag."""

    promise: ClassVar[str] = "lag"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.looked_at: dict[str, int] = {}
        """By region the time (ms) of the last look."""
        self.since: dict[str, dict[str, tuple[Source, int]]] = {}
        """By region and peer the connection, and when it was first seen or its region paused."""
        self.longest: dict[tuple[str, str], int] = {}
        """By region and peer the longest lag of the connection."""

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the links of one region."""
        now = region.now_ms
        if now - self.looked_at.get(region.name, -SAMPLE_MS) < SAMPLE_MS:
            return
        self.looked_at[region.name] = now
        known = self.since.setdefault(region.name, {})
        for peer, source in region.links.sources.items():
            held = known.get(peer)
            if held is None or held[0] is not source or region.was_paused:
                known[peer] = source, now
                self.longest[region.name, peer] = 0
            else:
                self.check_reported_lag(region, source, held[1])

    def check_reported_lag(self, region: Watched, source: Source, since: int) -> None:
        """Compare the reported lag of one link with the real one. Times in ms."""
        now, said = region.now_ms, source.lag_ns(region.now_ms * MS) // MS
        age = self.silence_ns(region, source)
        self.looked += 1
        longest = max(age, self.longest[region.name, source.peer])
        self.longest[region.name, source.peer] = longest
        least = min(age, now - since) - self.longest_pause_ns(source) - longest // APART_SHARE
        if not least <= said <= age + ROUNDING_MS:
            raise self.violation(
                f"{region.name} says that {source.peer} is {said} ms behind, and it is {age} ms"
            )

    def silence_ns(self, region: Watched, source: Source) -> int:
        """Return how old the oldest effect of a region is that a peer has not acknowledged."""
        origin = region.replica.origin
        made = self.run_history.by_origin.get(origin, [])
        known = source.progress.acknowledged.get(origin, 0)
        index = bisect_right(made, known, key=LAST)
        return region.now_ms - made[index].at // MS if index < len(made) else 0

    def longest_pause_ns(self, source: Source) -> int:
        """Return how much a region may be late in noting what it has made."""
        late = 2 * source.limits.heartbeat_ns + source.limits.silence_ns_max // 4
        return late // MS + ROUNDING_MS
