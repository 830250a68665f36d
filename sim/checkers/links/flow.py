"""Check how links adapt to what passes: windows, pauses of sinks, and links that are given up.

* The window of a source does not shrink after idleness: if all was acknowledged, and what was sent
  since has been acknowledged as soon as the window allows for, it stays as large as it was.
* The window is never larger than `window_bytes_max`.
* A sink whose causal buffer was full resumes after `stall_ns`. The pause doubles only with each
  stall that follows another without any operation received in between.
* A source gives a peer up because it takes nothing only if nothing was acknowledged for
  `idle_ns_max`. It looks at that once for each heartbeat.
* A source that waits for its turn to send a snapshot begins as soon as another one has ended and
  its replica is settled.

Not checked: processes that were paused, and the size of a window that has been full (see `bounds`
and `freshness`).
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar, Final

import attrs

from replication.machines.receiving.sink import STALLS_MAX, Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.protocol.frames import (
    Ack,
    Frame,
    OpPart,
    Ops,
    Refuse,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import MS
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory

SLACK_NS: Final = 20 * MS
PROMPT_NS: Final = 5 * MS
GIVEN_UP: Final = "nothing acknowledged"
DATA: Final = (Ops, OpPart, SnapshotPiece)


@attrs.define
class Flow:
    """The data that a source has sent over one connection. Times are in ns."""

    source: Source
    window: int
    sent: deque[tuple[int, int]]
    """For each frame that is not acknowledged: the bytes sent up to its end, and when."""
    moved_at: int = 0
    """The time at which data was last acknowledged, or was sent after all had been."""
    is_idle: bool = True
    """True if the last acknowledgement was of all that had been sent."""
    awaits_turn: bool = False
    """True if the source was asked for a snapshot and has not begun it."""
    is_due: bool = False
    """True if it awaited its turn when another snapshot ended last, and could begin."""


@attrs.define
class Stall:
    """The stalls of a sink over one connection."""

    sink: Sink
    stalled_at: int | None = None
    in_a_row: int = 0
    """The number of stalls before the present one, without any operation or whole snapshot in
    between."""
    has_resumed: bool = True
    is_in_parts: bool = False
    """True if a part of an operation was received, and not its last part."""
    keeps_parts: bool = False
    """True if they are not ignored: the first part came while the sink was not stalled."""

    def end(self) -> None:
        """End the present stall, since a snapshot comes before anything else."""
        self.stalled_at, self.has_resumed = None, True


class FlowChecker(FrameChecker):
    """Checks the windows and the pauses of links."""

    promise: ClassVar[str] = "flow control"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.flows: ConnectionRecords[Source, Flow] = ConnectionRecords(begin_flow)
        self.stalls: ConnectionRecords[Sink, Stall] = ConnectionRecords(Stall)
        self.due_at: dict[str, int] = {}
        """By process: when (ns) the turn of the next of them came."""

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record what a source sends. Check when a sink resumes, and why a source gives up."""
        if isinstance(end, Source):
            self.check_turn(process)
            if isinstance(frame, DATA):
                self.record_sent(self.flows.find(process, end), process.read_clock())
            elif isinstance(frame, SnapshotBegin):
                self.begin_snapshot(process, end)
            elif isinstance(frame, SnapshotEnd):
                self.end_snapshot(process)
            elif isinstance(frame, Refuse) and frame.reason.startswith(GIVEN_UP):
                self.check_given_up(process, self.flows.find(process, end))
        elif isinstance(frame, Resume):
            self.check_pause(process, self.stalls.find(process, end))
        elif isinstance(frame, SnapshotRequest):
            self.stalls.find(process, end).end()

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check the window after an acknowledgement, and record what a sink takes in."""
        if end.closed:
            return
        if isinstance(end, Sink):
            self.record_received(process, end, frame)
        elif isinstance(frame, Ack):
            self.check_window(process, self.flows.find(process, end), frame)
        elif isinstance(frame, SnapshotRequest):
            self.flows.find(process, end).awaits_turn = True

    # -- sources ---------------------------------------------------------------------------

    def record_sent(self, flow: Flow, now: int) -> None:
        """Record that a frame with data was sent."""
        if not flow.sent:
            flow.moved_at = now
        flow.sent.append((flow.source.sent_bytes, now))

    def check_window(self, process: Linked, flow: Flow, ack: Ack) -> None:
        """Check that the window has not shrunk without a reason."""
        self.looked += 1
        now, source = process.read_clock(), flow.source
        oldest = flow.sent[0][1] if flow.sent else now
        while flow.sent and flow.sent[0][0] <= ack.received_bytes:
            flow.sent.popleft()
            flow.moved_at = now
        window, was_idle = source.pace.window_bytes, flow.is_idle
        if window > source.limits.window_bytes_max:
            raise self.violation(
                f"the window of {process.name} for {source.peer} has {window} bytes, and at most"
                f" {source.limits.window_bytes_max} are permitted"
            )
        flow.is_idle = not flow.sent
        flow.window, before = window, flow.window
        if was_idle and window < before and now - oldest < source.pace.late_ns(source.rtt_best):
            raise self.violation(
                f"the window of {process.name} for {source.peer} shrinks from {before} to {window}"
                f" bytes, though what was sent there since all had arrived took"
                f" {(now - oldest) / MS:g} ms"
            )

    def check_given_up(self, process: Linked, flow: Flow) -> None:
        """Check that a peer that was given up has acknowledged nothing for long."""
        limits = flow.source.limits
        lasted = process.read_clock() - flow.moved_at if flow.sent else 0
        if lasted < limits.idle_ns_max - limits.longest_ns and not process.was_paused:
            raise self.violation(
                f"{process.name} gives {flow.source.peer} up, which has acknowledged data"
                f" {lasted / MS:g} ms ago"
            )

    # -- snapshots -------------------------------------------------------------------------

    def begin_snapshot(self, process: Linked, source: Source) -> None:
        """Record that a snapshot has begun."""
        self.flows.find(process, source).awaits_turn = False
        self.due_at.pop(process.name, None)

    def end_snapshot(self, process: Linked) -> None:
        """Record that the turn of a source that waits has come."""
        for source, flow in self.flows.of(process).items():
            is_able = source.state is SourceState.SNAPSHOT and source.in_flight == 0
            flow.awaits_turn = flow.is_due = flow.awaits_turn and is_able
            if flow.is_due:
                self.due_at[process.name] = process.read_clock()

    def check_turn(self, process: Linked) -> None:
        """Check that the next snapshot has begun after another one has ended."""
        due_at = self.due_at.get(process.name)
        if due_at is not None:
            due_at = max(due_at, process.settled_at)
        if due_at is None or process.read_clock() - due_at <= PROMPT_NS:
            return
        del self.due_at[process.name]
        self.looked += 1
        names = [
            source.peer
            for source, flow in self.flows.of(process).items()
            if flow.is_due and flow.awaits_turn and source.state is SourceState.SNAPSHOT
        ]
        if names and not process.was_paused:
            raise self.violation(
                f"{process.name} lets {names[0]} wait for its snapshot for"
                f" {(process.read_clock() - due_at) / MS:g} ms, though another one has ended"
            )

    # -- sinks -----------------------------------------------------------------------------

    def record_received(self, process: Linked, sink: Sink, frame: Frame) -> None:
        """Record that a sink has received operations, or has stalled."""
        stall = self.stalls.find(process, sink)
        if isinstance(frame, OpPart):
            if not stall.is_in_parts:
                stall.keeps_parts = not sink.passes_by
            stall.is_in_parts = not frame.last
        if isinstance(frame, Resumed):
            stall.has_resumed = True
        elif isinstance(frame, Truncated):
            stall.end()
        elif isinstance(frame, SnapshotEnd):
            stall.in_a_row = 0
        elif isinstance(frame, DATA) and stall.has_resumed:
            if sink.state is SinkState.STALLED:
                stall.stalled_at, stall.has_resumed = process.read_clock(), False
            elif sink.state is SinkState.RESUMING:
                pass  # operations are ignored until the source has replied
            elif isinstance(frame, Ops) or (
                isinstance(frame, OpPart) and frame.last and stall.keeps_parts
            ):
                stall.in_a_row = 0

    def check_pause(self, process: Linked, stall: Stall) -> None:
        """Check for how long a sink has paused."""
        if stall.stalled_at is None:
            return
        self.looked += 1
        lasted = process.read_clock() - stall.stalled_at
        limit = (stall.sink.limits.stall_ns << min(stall.in_a_row, STALLS_MAX)) + SLACK_NS
        stall.stalled_at = None
        stall.in_a_row += 1
        if lasted > limit and not process.was_paused:
            raise self.violation(
                f"{process.name} has paused the link from {stall.sink.peer} for {lasted / MS:g} ms,"
                f" not {limit / MS:g}"
            )


def begin_flow(source: Source) -> Flow:
    """Return the record of a connection that has sent no data."""
    return Flow(source, source.pace.window_bytes, deque())
