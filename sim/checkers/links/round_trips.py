"""Check the round trips that links measure.

Each end of a link shows the round trip of its latest exchange (CRDB.LINKS, INFO), and acts on it:
when to ask a repair peer, and how large a window is. It is the time that a regular message has
taken to the other end, and the time that the answer has taken back. How long the other end has
waited before it answered does not count. The shortest round trip of a connection is remembered.

The simulator knows when each message was sent and when it came, so the figures must be exact.

Not checked: exchanges that began with one of two messages that were sent at the same time.
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import Ack, Frame, Heartbeat
from replication.protocol.limits import MS
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory

ARRIVALS_MAX: Final = 64  # more messages than an answer crosses on its way
SLACK_NS: Final = MS
UNKNOWN: Final = -1


@attrs.define
class Exchanges:
    """The regular messages that have come to one end of a connection. Times are in ns."""

    end: Source | Sink
    arrivals: dict[int, int] = attrs.field(factory=dict[int, int])
    """For the time at which a message was sent: when it came; UNKNOWN if several were sent then.
    Only the latest are kept."""
    shortest: int = 0
    """The shortest round trip so far; 0 before the first."""


class RoundTripChecker(FrameChecker):
    """Checks the measured round trips."""

    promise: ClassVar[str] = "round trips"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.sinks: ConnectionRecords[Source | Sink, Exchanges] = ConnectionRecords(Exchanges)
        self.sources: ConnectionRecords[Source | Sink, Exchanges] = ConnectionRecords(Exchanges)

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record the arrival of a regular message, and check the round trip that it ends."""
        if not isinstance(frame, Heartbeat | Ack) or end.closed:
            return
        ours, theirs = self.sources, self.sinks
        if isinstance(end, Sink):
            ours, theirs = theirs, ours
        now, here = process.read_clock(), ours.find(process.name, end)
        here.arrivals[frame.stamp] = UNKNOWN if frame.stamp in here.arrivals else now
        if len(here.arrivals) > ARRIVALS_MAX:
            del here.arrivals[next(iter(here.arrivals))]
        there = theirs.latest.get((end.peer, process.name))
        came_at = UNKNOWN if there is None else there[1].arrivals.get(frame.echo, UNKNOWN)
        if came_at != UNKNOWN:
            taken = came_at - frame.echo + now - frame.stamp
            self.check_figure(process, end, "the latest", end.rtt, taken)
        if frame.echo:
            here.shortest = min(end.rtt, here.shortest or end.rtt)
            self.check_figure(process, end, "the shortest", end.rtt_best, here.shortest)

    def check_figure(
        self, process: Linked, end: Source | Sink, which: str, reported: int, taken: int
    ) -> None:
        """Compare a round trip (ns) that an end reports with the one that was `taken`."""
        self.looked += 1
        if abs(reported - taken) > SLACK_NS:
            raise self.violation(
                f"{process.name} says that {which} round trip to {end.peer} took"
                f" {reported / MS:g} ms, and it took {taken / MS:g}"
            )
