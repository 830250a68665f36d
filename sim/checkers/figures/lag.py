"""Check the lag that a region reports of its peers.

The lag of a link is the age of the region's oldest own effect that is not acknowledged. The
simulator knows when each effect was made. A region measures the lag when it sends or receives, so
it may report a little less, and for a new connection at most its age. It must never report more.
Effects that the region has lost in a crash are not in its data, so no peer is behind for them.

The number of effects that a peer lacks is checked too. It is at least the number of the region's
own effects that the peer has not applied. It counts only effects that this link carries and the
peer has not acknowledged.

Not checked: links to followers, the lag that sinks report, regions that were paused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.protocol.limits import MS
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE_MS: Final = 100  # between two looks at the links of one region
ROUNDING_MS: Final = 2
APART_SHARE: Final = 16
"""A lag may be reported too small by this share of the longest: fewer moments are remembered."""


class LagChecker(Checker):
    """Checks the reported lag."""

    promise: ClassVar[str] = "lag"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.up: dict[str, Watched] = {}
        self.looked_at: dict[str, int] = {}
        """By region the time (ms) of the last look."""
        self.since: dict[str, dict[str, tuple[Source, int]]] = {}
        """By region and peer the connection, and when it was first seen or its region paused."""
        self.longest: dict[tuple[str, str], int] = {}
        """By region and peer the longest lag of the connection."""

    def on_region_started(self, region: Watched) -> None:
        self.up[region.name] = region

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]

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
                self.check_reported_effects(region, source)

    def check_reported_lag(self, region: Watched, source: Source, since: int) -> None:
        """Compare the reported lag of one link with the real one. Times in ms."""
        now, reported = region.now_ms, source.lag_ns(region.now_ms * MS) // MS
        age = self.silence_ms(region, source)
        self.looked += 1
        longest = max(age, self.longest[region.name, source.peer])
        self.longest[region.name, source.peer] = longest
        least = min(age, now - since) - self.longest_pause_ms(source) - longest // APART_SHARE
        if not least <= reported <= age + ROUNDING_MS:
            raise self.violation(
                f"{region.name} says that {source.peer} is {reported} ms behind, and it is {age} ms"
            )

    def check_reported_effects(self, region: Watched, source: Source) -> None:
        """Compare the number of effects that a peer is said to lack with the real one."""
        peer = self.up.get(source.peer)
        if source.state is not SourceState.SENDING or peer is None:
            return
        reported, origin = source.behind(), region.replica.origin
        sink = peer.links.sinks.get(region.name)
        if sink is not None and sink.state is SinkState.STREAMING:  # else it may have lost data
            least = region.replica.keyspace.seq - peer.replica.keyspace.vector.get(origin, 0)
            if reported < least:
                raise self.violation(
                    f"{region.name} says that {source.peer} lacks {reported} effects, and it lacks"
                    f" {least} of {region.name} alone"
                )
        most = count_unacknowledged(region, source)
        if reported > most:
            raise self.violation(
                f"{region.name} says that {source.peer} lacks {reported} effects, and of those"
                f" that it sends there only {most} are not acknowledged"
            )

    def silence_ms(self, region: Watched, source: Source) -> int:
        """Return how old (ms) the oldest effect of a region is that a peer has not acknowledged."""
        db = region.replica.keyspace
        known = source.progress.acknowledged.get(db.origin, 0)
        made_at = self.run_history.oldest_beyond(db.origin, known, db.seq)
        return 0 if made_at is None else region.now_ms - made_at // MS

    def longest_pause_ms(self, source: Source) -> int:
        """Return how much (ms) a region may be late in noting what it has made."""
        late = 2 * source.limits.longest_ns + source.limits.silence_ns_max // 4
        return late // MS + ROUNDING_MS


def count_unacknowledged(region: Watched, source: Source) -> int:
    """Count the effects that a region sends over a link and that are not acknowledged."""
    acknowledged = source.progress.acknowledged
    return sum(
        max(0, seq - acknowledged.get(origin, 0))
        for origin, seq in region.replica.keyspace.vector.items()
        if source.cursor.wants(origin)
    )
