"""Check that gaps are repaired in time, by one peer, and without requests in vain.

A gap is open while a region lacks effects that a peer is known to hold, no link brings them, and
nobody was asked for them.

* While a peer can be asked, a gap is open no longer than twice the delay after which peers are
  asked, and as long again as it has existed before, since the delay doubles.
* When a peer has refused, the next one is asked immediately.
* At most one peer at a time is asked for the effects of an origin. None is asked a second time over
  the same connection for the same effects, and none that has refused them.
* A snapshot is requested because of a gap only if all peers that hold the effects have refused.

A merged snapshot makes all refusals void, and so does a new connection.

Not checked: followers, regions that were paused, gaps while a snapshot is awaited.
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from crdt.causality.dots import Origin, Vector, name_origin
from replication.machines.receiving.applier import with_waiting
from replication.machines.receiving.sink import Sink, SinkState
from replication.machines.sending.source import Source
from replication.protocol.frames import (
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    Heartbeat,
    Resumed,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import MS
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory

SLACK_NS: Final = 50 * MS  # gaps are looked for every now and then
PROMPT_NS: Final = 5 * MS
ASKABLE: Final = (SinkState.STREAMING, SinkState.STALLED, SinkState.RESUMING)
AWAITING: Final = (SinkState.LOADING, SinkState.WAITING)


@attrs.define
class OpenGap:
    """The ops of an origin after `have`, which a region lacks. Times are in ns."""

    have: int
    since: int
    """The time since which it may have existed."""
    able: list[Sink]
    """The connections over which a peer could be asked all the time since `open_since`."""
    open_since: int = 0
    delay: int = 0
    """The longest time since then after which a peer was to be asked."""
    is_refused: bool = False
    """True if a peer has refused at that time."""

    def reopen(self, able: list[Sink], now: int, *, is_refused: bool = False) -> None:
        """Begin to measure for how long a peer should have been asked."""
        self.able, self.open_since, self.is_refused = able, now, is_refused
        self.delay = 0


@attrs.define
class AskedOver:
    """The requests of one region over one connection."""

    sink: Sink
    asked: dict[Origin, int]
    """The effect after which each origin was requested."""
    refused: set[Origin]
    merges: int = 0
    """The number of snapshots that were merged when the last of `refused` was added."""
    is_truncated: bool = False


class GapRepairChecker(FrameChecker):
    """Checks the requests for missing operations."""

    promise: ClassVar[str] = "gap repair"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.gaps: dict[tuple[str, Origin], OpenGap] = {}
        self.checked_at: dict[str, int] = {}
        """The time of the last look at the gaps of each region."""
        self.links: ConnectionRecords[Sink, AskedOver] = ConnectionRecords(begin_asking)

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region
        self.forget_gaps(region.name)

    def forget_gaps(self, name: str) -> None:
        """Forget what a region lacks."""
        for key in [key for key in self.gaps if key[0] == name]:
            del self.gaps[key]

    def find_link(self, region: Watched, sink: Sink) -> AskedOver:
        """Return the requests of a region over a connection, without refusals that are void."""
        link = self.links.find(region, sink)
        if link.merges != region.replica.merges:
            link.merges = region.replica.merges
            link.refused.clear()
        return link

    # -- what comes ------------------------------------------------------------------------

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record a refusal, and look for gaps that are open for too long."""
        region = self.regions.get(process.name)
        if region is None or isinstance(end, Source) or end.closed:
            return
        match frame:
            case Heartbeat():
                self.check_gaps(region, process.read_clock())
            case GapRefused():
                self.record_refusal(region, end, frame.origin, process.read_clock())
            case Truncated():
                self.find_link(region, end).is_truncated = True
            case Resumed():
                self.find_link(region, end).is_truncated = False
            case _:
                pass

    def record_refusal(self, region: Watched, sink: Sink, origin: Origin, now: int) -> None:
        """Record that a peer has refused, so that another must be asked immediately."""
        link = self.find_link(region, sink)
        after = link.asked.pop(origin, None)
        if after is None:
            return  # the request has been withdrawn
        link.refused.add(origin)
        have = with_waiting(region.replica).get(origin, 0)
        gap = self.gaps.get((region.name, origin))
        if have == after and gap is not None and gap.have == have and not region.was_paused:
            gap.reopen(self.able_to_help(region, origin, have, now), now, is_refused=True)

    # -- gaps ------------------------------------------------------------------------------

    def check_gaps(self, region: Watched, now: int) -> None:
        """Check how long the gaps of a region are open."""
        self.looked += 1
        checked_at = self.checked_at.get(region.name, now)
        self.checked_at[region.name] = now
        sinks = region.links.sinks.values()
        if region.was_paused or any(sink.state in AWAITING for sink in sinks):
            for (name, _), known in self.gaps.items():
                if name == region.name:
                    known.reopen([], now)  # it goes on to grow old
            return
        held = with_waiting(region.replica)
        for origin in self.lacking_origins(region, held):
            have = held.get(origin, 0)
            gap = self.gaps.get((region.name, origin))
            if gap is None or gap.have != have:
                gap = self.gaps[region.name, origin] = OpenGap(have, checked_at, [])
            able = self.able_to_help(region, origin, have, now)
            gap.able = [sink for sink in gap.able if any(sink is each for each in able)]
            if gap.able:
                self.check_delay(region, origin, gap, now)
            else:
                gap.reopen(able, now)

    def lacking_origins(self, region: Watched, held: Vector) -> set[Origin]:
        """Return the origins of which a region lacks what a peer has, or what operations await."""
        replica = region.replica
        vectors = [sink.vector for sink in region.links.sinks.values()]
        vectors.append(replica.causal_buffer.missing(replica.keyspace.vector))
        return {
            origin
            for vector in vectors
            for origin, seq in vector.items()
            if held.get(origin, 0) < seq and origin != replica.origin
        }

    def able_to_help(self, region: Watched, origin: Origin, have: int, now: int) -> list[Sink]:
        """Return the connections over which a region should ask for what follows `have`. There are
        none if somebody was asked, or if data or a snapshot comes from a peer that brings it
        anyway."""
        able: list[Sink] = []
        for sink in region.links.sinks.values():
            if sink.state in AWAITING or origin in sink.asked or is_bringing(sink, origin, now):
                return []
            if sink.state in ASKABLE and not sink.carries(origin) and not sink.is_swamped:
                has_refused = origin in self.find_link(region, sink).refused
                if sink.vector.get(origin, 0) > have and not has_refused:
                    able.append(sink)
        return able

    def check_delay(self, region: Watched, origin: Origin, gap: OpenGap, now: int) -> None:
        """Check that a gap is not open for too long."""
        sinks = region.links.sinks.values()
        carriers = [sink for sink in sinks if sink.is_open and sink.carries(origin)]
        came_at = max([gap.open_since, *(sink.data_at for sink in carriers)])
        lasted = now - came_at
        limits = region.links.limits
        delay = limits.no_link_delay_ns
        if carriers:
            delay = max(limits.repair_delay_ns, *(3 * sink.rtt for sink in carriers))
        gap.delay = max(gap.delay, delay)
        limit = PROMPT_NS
        if not gap.is_refused:
            limit = 2 * (gap.delay + limits.no_link_delay_ns) + came_at - gap.since + SLACK_NS
        if lasted > limit:
            cause = ", though a peer has refused" if gap.is_refused else ""
            raise self.violation(
                f"{region.name} has asked nobody for {lasted / MS:g} ms for what"
                f" {name_origin(origin)} wrote after {gap.have}{cause}"
            )

    # -- requests --------------------------------------------------------------------------

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check a request of a region."""
        region = self.regions.get(process.name)
        if region is None or isinstance(end, Source):
            return
        match frame:
            case GapRequest():
                self.check_request(region, end, frame, process.read_clock())
            case GapEnd():
                self.find_link(region, end).asked.pop(frame.origin, None)
            case SnapshotRequest():
                if not self.find_link(region, end).is_truncated:
                    self.check_snapshot_request(region, end)
            case _:
                pass

    def check_request(self, region: Watched, sink: Sink, frame: GapRequest, now: int) -> None:
        """Check that a request has a reason, and that it was sent in time."""
        self.looked += 1
        link, origin = self.find_link(region, sink), frame.origin
        gap = self.gaps.get((region.name, origin))
        others = [each.peer for each in region.links.sinks.values() if origin in each.asked]
        if len(others) > 1:
            raise self.violation(
                f"{region.name} has asked {' and '.join(others)} for what {name_origin(origin)}"
                " wrote"
            )
        if origin in link.refused:
            raise self.violation(
                f"{region.name} asks {sink.peer} for what {name_origin(origin)} wrote, which that"
                " has refused"
            )
        is_old = gap is None or now - gap.since >= sink.limits.idle_ns_max
        if link.asked.get(origin) == frame.after and not is_old:
            raise self.violation(
                f"{region.name} asks {sink.peer} twice for what {name_origin(origin)} wrote after"
                f" {frame.after}"
            )
        if gap is not None and gap.able and gap.have == frame.after:
            if not region.was_paused:
                self.check_delay(region, origin, gap, now)
            gap.able = []
        link.asked[origin] = frame.after

    def check_snapshot_request(self, region: Watched, sink: Sink) -> None:
        """Check that all peers have refused something that a region lacks."""
        self.looked += 1
        held = with_waiting(region.replica)
        for origin in self.lacking_origins(region, held):
            able = [
                self.find_link(region, each)
                for each in region.links.sinks.values()
                if each.is_open and each.vector.get(origin, 0) > held.get(origin, 0)
            ]
            if all(origin in link.refused for link in able):
                return
        raise self.violation(
            f"{region.name} requests a snapshot of {sink.peer}, and no peer has refused what it"
            " lacks"
        )


def is_bringing(sink: Sink, origin: Origin, now: int) -> bool:
    """Return whether a connection brings data, and carries what an origin writes."""
    if not sink.carries(origin) or sink.closed:
        return False
    return now - sink.data_at <= max(sink.limits.repair_delay_ns, sink.trips_ns)


def begin_asking(sink: Sink) -> AskedOver:
    """Return the record of a connection over which nothing was requested."""
    return AskedOver(sink, {}, set())
