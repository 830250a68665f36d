"""Check what a region reports to its operator: INFO, and the data at risk if it stops.

The simulator knows which vectors other regions and followers have sent over the connections that
are open, when each effect was made, and how often a wall clock was set. So the following must hold:

* `crdt_clock`, `crdt_ovc` and `crdt_gc_gvc_min` count the effects of a region in all its
  incarnations.
* `crdt_clock_steps` counts the times at which the wall clock was set by more than a correction.
  A clock that runs fast or slow is not set.
* Data is at risk only if no connected region is known to hold it, and it is at risk if none of the
  connected regions holds it. A region that is behind puts nothing at risk if another one is not.
* `crdt_replica_N` counts at most the effects that the region has not reported to hold.
* Each follower is listed with the effects that it has acknowledged, and with the seconds since the
  oldest effect that it has not.
* Operations that wait have waited since they were first seen to wait.

Not checked: regions that were paused. The lag in milliseconds is checked by `lag`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import attrs

from crdb.engine.info.sections import SECTIONS
from crdb.region.core.stop_risk import count_risks
from crdb.region.report.link_lines import follower_lines, replica_lines
from crdt.causality.dots import Origin, Vector, dominates, join, lacking, name_origin, region_of
from crdt.causality.op import Op
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import Ack, Frame, Heartbeat, Hello
from replication.protocol.limits import MS
from sim.checkers.links.connection_records import ConnectionRecords
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Followed, Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.client import parse_fields
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

LOOK_MS: Final = 1000  # between two checks of what a region reports
WAITING_MS: Final = 200  # the tolerance for the age of what waits
SECOND_MS: Final = 1000


@attrs.define
class ReceivedVectors:
    """The vectors that the other end of a connection has sent, joined."""

    vector: Vector
    acknowledged: Vector
    """The part of its acknowledgements that counts: only origins that the region itself knew. One
    that has lost its memory does not know every origin of which a follower holds effects."""


@attrs.frozen
class FirstWaiting:
    """The first operation of an origin that waits, and when (ns) it was first seen to wait."""

    op: Op
    seen_at: int


class MonitoringChecker(FrameChecker):
    """Checks what regions report to their operators."""

    promise: ClassVar[str] = "monitoring"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.up: dict[str, Watched] = {}
        self.looked_at: dict[str, int] = {}
        self.reported: ConnectionRecords[Source | Sink, ReceivedVectors] = ConnectionRecords(
            begin_vectors
        )
        self.waiting: dict[str, dict[Origin, FirstWaiting]] = {}
        """By region: the first operation of each origin that waits."""

    def on_region_started(self, region: Watched) -> None:
        self.up[region.name] = region
        self.waiting[region.name] = {}

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record the vector that the other end has sent."""
        if isinstance(frame, Hello | Ack | Heartbeat) and not end.closed:
            record = self.reported.find(process, end)
            if not dominates(record.vector, frame.vector):
                record.vector = join(record.vector, frame.vector)
            if isinstance(frame, Ack):
                mine = process.replica.keyspace.vector
                known = {origin: seq for origin, seq in frame.vector.items() if origin in mine}
                record.acknowledged = join(record.acknowledged, known)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare what a region reports with the truth, every LOOK_MS."""
        if not region.replica.causal_buffer.is_empty() or self.waiting[region.name]:
            self.check_waiting(region)
        if region.now_ms - self.looked_at.get(region.name, -LOOK_MS) < LOOK_MS:
            return
        self.looked_at[region.name] = region.now_ms
        if not region.was_paused:
            self.check_region(region)

    def on_inspection(self, place: Watched | Followed) -> None:
        """Compare what a region reports with the truth."""
        region = self.up.get(place.name)
        if region is not None and region is place and not region.was_paused:
            self.check_region(region)

    def check_region(self, region: Watched) -> None:
        """Check all that a region reports."""
        self.looked += 1
        self.check_figures(region)
        self.check_risk(region)
        self.check_regions(region)
        self.check_followers(region)

    # -- figures of its own ----------------------------------------------------------------

    def check_figures(self, region: Watched) -> None:
        """Check the section `crdt` of INFO."""
        replica = region.replica
        mine = replica.keyspace.vector
        info = {name: str(value) for name, value in SECTIONS["crdt"](region.instance)}
        own = sum(seq for origin, seq in mine.items() if region_of(origin) == replica.region)
        expected = {
            "crdt_clock": str(own),
            "crdt_ovc": counters_text(mine),
            "crdt_gc_gvc_min": counters_text(replica.stable()),
            "crdt_waiting_bytes": str(replica.causal_buffer.count_bytes()),
            "crdt_clock_steps": str(region.clock_sets),
        }
        for name, value in expected.items():
            if info[name] != value:
                raise self.violation(
                    f"{region.name} reports {name}:{info[name]}, and it is {value}"
                )

    # -- data at risk ----------------------------------------------------------------------

    def check_risk(self, region: Watched) -> None:
        """Check the number of effects that would be lost if the region stopped now."""
        ours = region.links.memory.known_vector()
        reports = [
            (end, self.reported.find(region, end).vector)
            for end in region.links.ends()
            if end.hello is not None and end.membership is not None
        ]
        risks = count_risks({region.name: region.links})
        writes = risks[0].writes if risks else 0
        known: dict[str, Vector] = {}
        for end, vector in reports:
            known[end.peer] = join(known.get(end.peer, {}), vector)
        lack = {peer: lacking(vector, ours) for peer, vector in known.items()}
        most = min(lack.values(), default=sum(ours.values()))
        if writes > most:
            nearest = next((peer for peer, count in lack.items() if count == most), "nobody")
            raise self.violation(
                f"{region.name} reports that {writes} effects are at risk, and {nearest} lacks"
                f" {most}"
            )
        least = self.count_lacking(region, reports, ours)
        if writes < least and region.replica.keyspace.size():
            raise self.violation(
                f"{region.name} reports that {writes} effects are at risk, and each connected"
                f" region lacks {least} at least"
            )

    def count_lacking(
        self, region: Watched, reports: Sequence[tuple[Source | Sink, Vector]], ours: Vector
    ) -> int:
        """Return the number of effects that every connected region lacks; 0 if that is unknown,
        because one has lost its memory and the connection has not ended here. It may have come back
        under the same origin, but it knows nothing of that connection."""
        found: list[int] = []
        for end, _ in reports:
            peer = self.up.get(end.peer)
            if peer is None or end.hello is None or end.hello.origin != peer.replica.origin:
                return 0
            if all(back.peer != region.name for back in peer.links.ends()):
                return 0
            found.append(lacking(peer.links.memory.known_vector(), ours))
        return min(found, default=sum(ours.values()))

    # -- other regions and followers -------------------------------------------------------

    def check_regions(self, region: Watched) -> None:
        """Check the number of effects that each other region lacks according to INFO."""
        replica = region.replica
        lines = dict(replica_lines(region.links))
        for end in region.links.ends():
            text = lines.get(f"crdt_replica_{end.region}")
            if end.hello is None or end.membership is None or text is None:
                continue
            row = parse_fields(str(text), ",")
            held = self.reported.find(region, end).vector.get(replica.origin, 0)
            most = max(0, replica.keyspace.seq - held)
            if row["known"] != "1" or int(row["max_ops_lag"]) > most:
                raise self.violation(
                    f"{region.name} reports {text} of {end.peer}, which has reported to lack {most}"
                )

    def check_followers(self, region: Watched) -> None:
        """Check the lines about followers."""
        links, db = region.links, region.replica.keyspace
        lines = dict(follower_lines(links, region.now_ms * MS))
        if lines["master_repl_offset"] != sum(db.vector.values()):
            raise self.violation(
                f"{region.name} reports that it is at {lines['master_repl_offset']}, and has"
                f" {shown(db.vector)}"
            )
        for number, end in enumerate(links.followers):
            row = parse_fields(str(lines[f"slave{number}"]), ",")
            reported = self.reported.find(region, end)
            held = reported.vector
            known = end.progress.acknowledged.get(db.origin, 0)
            made_at = self.run_history.oldest_beyond(db.origin, known, db.seq)
            age_ms = 0 if made_at is None else region.now_ms - made_at // MS
            if int(row["lag"]) * SECOND_MS > age_ms + SECOND_MS:
                raise self.violation(
                    f"{region.name} reports that {end.peer} is {row['lag']} s behind, and it is"
                    f" {age_ms} ms"
                )
            least = sum(reported.acknowledged.values())
            if not least <= int(row["offset"]) <= sum(held.values()):
                raise self.violation(
                    f"{region.name} reports that {end.peer} is at {row['offset']}, which has"
                    f" reported {shown(held)}"
                )

    # -- what waits ------------------------------------------------------------------------

    def check_waiting(self, region: Watched) -> None:
        """Check since when operations wait, according to the region."""
        buffer, losses = region.replica.causal_buffer, region.links.losses
        before, now = self.waiting[region.name], region.now_ms * MS
        found: dict[Origin, FirstWaiting] = {}
        for row in losses.waiting():
            origin = row.origin
            first, known = buffer.waiting(origin)[0], before.get(origin)
            if known is None or known.op is not first:
                known = FirstWaiting(first, now)
            elif origin in losses.since and row.since > known.seen_at + MS * WAITING_MS:
                raise self.violation(
                    f"{region.name} reports that operations of {name_origin(origin)} have waited"
                    f" for {(now - row.since) // MS} ms, and it is {(now - known.seen_at) // MS}"
                )
            if origin in losses.since:
                found[origin] = known
        self.waiting[region.name] = found


def begin_vectors(_: Source | Sink) -> ReceivedVectors:
    """Return the record of a connection over which nothing has come."""
    return ReceivedVectors({}, {})


def counters_text(vector: Vector) -> str:
    """Return the number of effects of each region, as INFO shows them."""
    counts: dict[int, int] = {}
    for origin, seq in vector.items():
        counts[region_of(origin)] = counts.get(region_of(origin), 0) + seq
    return "{" + ",".join(f"{region}={counts[region]}" for region in sorted(counts)) + "}"
