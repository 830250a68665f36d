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
class ShortestTrip:
    """The shortest round trip (ns) of a connection so far; 0 before the first."""

    ns: int = 0


def begin_shortest(_: Source | Sink) -> ShortestTrip:
    """Return the record of a connection that has measured nothing."""
    return ShortestTrip()


class RoundTripChecker(FrameChecker):
    """Checks the measured round trips."""

    promise: ClassVar[str] = "round trips"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.arrivals: dict[tuple[str, str, bool], dict[int, int]] = {}
        """The latest regular messages, by the process to which they have come, the one that has
        sent them, and whether that was a source. For the time (ns) at which a message was sent:
        when it came, or UNKNOWN if several were sent then."""
        self.shortest: ConnectionRecords[Source | Sink, ShortestTrip] = ConnectionRecords(
            begin_shortest
        )

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record the arrival of a regular message, and check the round trip that it ends."""
        if not isinstance(frame, Heartbeat | Ack) or end.closed:
            return
        now, is_sink = process.read_clock(), isinstance(end, Sink)
        here = self.arrivals.setdefault((process.name, end.peer, is_sink), {})
        here[frame.stamp] = UNKNOWN if frame.stamp in here else now
        if len(here) > ARRIVALS_MAX:
            del here[next(iter(here))]
        if not frame.echo:
            return
        there = self.arrivals.get((end.peer, process.name, not is_sink), {})
        came_at = there.get(frame.echo, UNKNOWN)
        if came_at != UNKNOWN:
            taken = came_at - frame.echo + now - frame.stamp
            self.check_figure(process, end, "the latest", end.rtt, taken)
        shortest = self.shortest.find(process, end)
        shortest.ns = min(end.rtt, shortest.ns or end.rtt)
        self.check_figure(process, end, "the shortest", end.rtt_best, shortest.ns)

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
