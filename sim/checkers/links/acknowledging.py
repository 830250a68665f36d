"""Check when sinks acknowledge: soon enough for their source, and no more often than it needs.

* The first heartbeat is acknowledged immediately, so that the source knows the round trip, and so
  is a snapshot, so that its operations are not sent again.
* Data is acknowledged at the latest after `ack_ns`, and later by half of the time that messages
  queue.
* Any other acknowledgement follows some data: at least `ack_bytes`, or the smaller number with
  which a connection begins, or data that is as old as `ack_ns`. Without data there is one for each
  heartbeat interval. When another snapshot was merged, each sink says what it has.

Not checked: sinks of processes that were paused.
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from replication.machines.receiving.sink import ACK_BYTES, Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import (
    Ack,
    Frame,
    Heartbeat,
    OpPart,
    Ops,
    SnapshotEnd,
    SnapshotPiece,
)
from replication.protocol.limits import MS
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory

NEVER: Final = -1
LONG_AGO: Final = -(1 << 62)
SLACK_NS: Final = MS
"""The resolution with which a process is woken."""


@attrs.define
class Received:
    """The data and acknowledgements of a sink over one connection. Times are in ns."""

    sink: Sink
    acked_at: int = LONG_AGO
    """The last acknowledgement; the time before the first one does not count."""
    acked_bytes: int = 0
    """The bytes that were acknowledged then."""
    merges: int = 0
    """The number of snapshots that the replica had merged then."""
    since: int = NEVER
    """The arrival of the oldest data that is not acknowledged."""
    prompt_at: int = NEVER
    """The arrival of a message that is acknowledged immediately."""
    has_heartbeat: bool = False


class AcknowledgementChecker(FrameChecker):
    """Checks the times of acknowledgements."""

    promise: ClassVar[str] = "acknowledgements"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.links: ConnectionRecords[Sink, Received] = ConnectionRecords(Received)

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record what has come, and check that nothing of before is overdue."""
        if isinstance(end, Source) or end.closed:
            return
        link, now = self.links.find(process, end), process.read_clock()
        if not process.was_paused:
            self.check_overdue(process, link, now)
        match frame:
            case Heartbeat():
                if not link.has_heartbeat:
                    link.has_heartbeat = True
                    link.prompt_at = now
            case SnapshotEnd():
                link.prompt_at = now
            case Ops() | OpPart() | SnapshotPiece():
                if link.since == NEVER:
                    link.since = now
            case _:
                pass

    def check_overdue(self, process: Linked, link: Received, now: int) -> None:
        """Check that what has come was acknowledged in time."""
        if link.prompt_at not in (NEVER, now):
            raise self.violation(
                f"{process.name} has not acknowledged the first message or a snapshot of"
                f" {link.sink.peer} for {(now - link.prompt_at) / MS:g} ms"
            )
        limits = link.sink.limits
        late = limits.ack_ns + limits.silence_ns_max // 8 + SLACK_NS
        if link.since != NEVER and now - link.since > late:
            raise self.violation(
                f"{process.name} has not acknowledged data of {link.sink.peer} for"
                f" {(now - link.since) / MS:g} ms"
            )

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check that an acknowledgement has a reason."""
        if isinstance(end, Source) or not isinstance(frame, Ack):
            return
        self.looked += 1
        link, now = self.links.find(process, end), process.read_clock()
        if not process.was_paused:
            self.check_overdue(process, link, now)
            if not self.has_reason(process, link, frame, now):
                count = frame.received_bytes - link.acked_bytes
                raise self.violation(
                    f"{process.name} acknowledges {count} bytes to {end.peer},"
                    f" {(now - link.acked_at) / MS:g} ms after the last acknowledgement"
                )
        link.since = link.prompt_at = NEVER
        link.acked_at, link.acked_bytes = now, frame.received_bytes
        link.merges = process.replica.merges

    def has_reason(self, process: Linked, link: Received, ack: Ack, now: int) -> bool:
        """Return whether an acknowledgement is due."""
        limits = link.sink.limits
        if link.prompt_at == now or process.replica.merges != link.merges:
            return True
        if now - link.acked_at >= limits.heartbeat_ns:
            return True
        if ack.received_bytes - link.acked_bytes >= min(limits.ack_bytes, ACK_BYTES):
            return True
        return link.since != NEVER and now - link.since >= limits.ack_ns
