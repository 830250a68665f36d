"""Check that a region does not report too small an age of its copy of a peer's data.

The lag of a dialled link shows readers how old their data may be (CRDB.LINKS, INFO). The
simulator knows how long ago the peer made the oldest of its effects that are not here. A region
learns of news with the peer's next regular message, so it may say less by two of these and half a
round trip, and of a new connection no more than its age. It never says less than half of the
shortest round trip. When the peer has been silent for more than two of its regular messages, the
age is at least the time since the last one.

Not checked: ages that are too large (`freshness` checks them in a quiet world), links before their
handshake, links of followers, and regions that were paused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.protocol.frames import Frame, Heartbeat
from replication.protocol.limits import MS
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 4  # of so many turns of all regions, what they say is compared in one
SLACK_MS: Final = 2000
"""For so long a message may have been under way that comes together with the next one."""


class AgeChecker(FrameChecker):
    """Checks the reported age."""

    promise: ClassVar[str] = "age"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.turns = 0
        self.up: dict[str, Watched] = {}
        self.since: dict[tuple[str, str], tuple[Sink, int]] = {}
        """By region and peer the connection, and when (ms) it was first seen or a region paused."""
        self.heard: dict[tuple[str, str], tuple[Sink, int]] = {}
        """By region and peer the connection, and when (ns) its last regular message came."""

    def on_region_started(self, region: Watched) -> None:
        self.up[region.name] = region

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record when a regular message has come."""
        if isinstance(end, Sink) and isinstance(frame, Heartbeat):
            self.heard[process.name, end.peer] = end, process.read_clock()

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the connections of one region."""
        self.turns += 1
        if self.turns % SAMPLE:
            return
        for sink in region.links.sinks.values():
            peer = self.up.get(sink.peer)
            if peer is None or sink.state is not SinkState.STREAMING or not sink.rtt:
                continue
            place = region.name, sink.peer
            known = self.since.get(place)
            if known is None or known[0] is not sink or region.was_paused or peer.was_paused:
                self.since[place] = sink, region.now_ms
            elif sink.hello is not None and sink.hello.origin == peer.replica.origin:
                self.check_reported_age(region, sink, peer, known[1])
                self.check_silence(region, sink)

    def check_reported_age(self, region: Watched, sink: Sink, peer: Watched, since: int) -> None:
        """Compare the reported age of one connection with the real one. Times in ms."""
        self.looked += 1
        reported, age = sink.lag_ns(region.now_ms * MS) // MS, self.expected_age_ms(region, peer)
        late = (sink.rtt // 2 + 2 * sink.limits.longest_ns) // MS + SLACK_MS
        if reported < sink.rtt_best // 2 // MS:
            raise self.violation(
                f"{region.name} says that what it shows of {peer.name} is {reported} ms old, and"
                f" what comes from there takes {sink.rtt_best // 2 // MS} ms"
            )
        if reported < min(age, region.now_ms - since) - late:
            raise self.violation(
                f"{region.name} says that what it shows of {peer.name} is {reported} ms old, and it"
                f" lacks what was written there {age} ms ago"
            )

    def check_silence(self, region: Watched, sink: Sink) -> None:
        """Check that the age of a silent connection grows."""
        heard = self.heard.get((region.name, sink.peer))
        now = region.now_ms * MS
        if heard is None or heard[0] is not sink or now - heard[1] <= 2 * sink.pause_ns:
            return
        self.looked += 1
        reported = sink.lag_ns(now)
        if reported < now - heard[1]:
            raise self.violation(
                f"{region.name} says that what it shows of {sink.peer} is {reported // MS} ms old,"
                f" and it has heard nothing from there for {(now - heard[1]) // MS} ms"
            )

    def expected_age_ms(self, region: Watched, peer: Watched) -> int:
        """Return how long ago (ms) a peer made the oldest of its effects that a region lacks. The
        peer may have lost effects that it had made under the same origin: they do not count."""
        db = peer.replica.keyspace
        known = region.replica.keyspace.vector.get(db.origin, 0)
        made_at = self.run_history.oldest_beyond(db.origin, known, db.seq)
        return 0 if made_at is None else region.now_ms - made_at // MS
