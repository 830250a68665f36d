"""The sending end of a link. A pure machine: frames and time in, frames and events out.

Its states are those of `source_states`.

The machine keeps no ops: it holds a position in the history, its `cursor`, and reads on from there,
so a slow sink costs no memory. If the history has dropped ops that the sink still needs, the source
sends `Truncated`, and the sink decides how to continue.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from crdt.causality.dots import ORIGINS_MAX, Origin, Vector, lacking, region_of
from replication.machines.endpoint import NEVER, End
from replication.machines.sending.cursor import Cursor
from replication.machines.sending.log_reader import CutOp, LogReader
from replication.machines.sending.outgoing import Outgoing
from replication.machines.sending.pacing import Pace
from replication.machines.sending.progress import Progress, Stage
from replication.machines.sending.source_states import MOVES, TRANSITIONS, SourceState
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Connected, Event, OriginReused, Reported, Resynced
from replication.protocol.frames import (
    FOLLOWER,
    PROTOCOL,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    Heartbeat,
    Hello,
    Lacking,
    OpPart,
    Ops,
    Present,
    Refuse,
    Report,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.peers import Direction

RESUMES_MAX: Final = 8  # without a reply: a sink may have two; each costs milliseconds
REPORTED_ORIGINS_MAX: Final = 2 * ORIGINS_MAX  # in one heartbeat, so that they fit into a frame

S = SourceState


class Source(End):
    """The sending end of one connection. Made by `Links.serve`."""

    direction = Direction.OUT

    def __init__(self, log_reader: LogReader, now: int) -> None:
        super().__init__(now, log_reader.limits)
        self.state = S.AWAITING_HELLO
        self.log_reader = log_reader
        self.progress = Progress()
        self.cursor = Cursor(log_reader, self.refuse_gap)
        self.found = False
        """True if the next batch is known to hold ops for this link."""
        self.sent_bytes = 0
        """The bytes of ops and pieces that were sent; `acked_bytes` of them are acknowledged."""
        self.acked_bytes = 0
        self.moved_at = now
        """The time at which the sink last received data, or had received all."""
        self.is_stuck = False
        """True if it has taken nothing of what is under way for the time of silence."""
        self.pace = Pace(log_reader.limits)
        self.parts: tuple[Ops, ...] | CutOp = ()
        """The frames of the batch that is being sent; `parts_left` have not been sent."""
        self.parts_left = 0
        self.outgoing = Outgoing(log_reader, self.wake)
        self.reused = False

    # -- the common part of ends -----------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self.state is S.CLOSED

    def table(self) -> Mapping[tuple[enum.Enum, type[Frame]], enum.Enum]:
        return TRANSITIONS

    def enter(self, state: enum.Enum) -> None:
        assert isinstance(state, SourceState)
        self.state = state

    def shut(self) -> None:
        self.state = S.CLOSED
        self.parts, self.parts_left = (), 0
        self.outgoing.drop()

    def move(self, state: SourceState) -> None:
        """Change to `state` without a frame."""
        assert (self.state, state) in MOVES, f"{self.state.name} to {state.name}"
        self.state = state

    # -- receiving -------------------------------------------------------------------------

    def receive(self, frame: Frame, now: int) -> list[Event]:
        """Process a frame. Raises RemoteProtocolError if it may not come now."""
        self.step(self.state, frame, now)
        match frame:
            case Ack():
                return self.receive_ack(frame, now)
            case Hello():
                return self.receive_hello(frame, now)
            case Resume():
                return self.resume(frame)
            case SnapshotRequest():
                self.progress.move(Stage.SNAPSHOT)
                self.notify()
            case GapRequest():
                self.fill_gap(frame)
            case GapEnd():
                self.cursor.end_gap(frame.origin)
            case Present() | Lacking():
                return self.receive_statement(frame)
            case ConvergenceRequest() | ConvergenceReply():
                return self.receive_convergence_frame(frame)
            case _:
                assert isinstance(frame, Refuse | Eof), f"no rule for {frame!r}"
                return self.ended(frame)
        return []

    def kept_part(self, vector: Vector) -> Vector:
        """Return the part of a vector of the sink that is kept."""
        return self.log_reader.known_part(vector) if self.is_follower else vector

    def receive_hello(self, hello: Hello, now: int) -> list[Event]:
        """Process the Hello of the sink."""
        self.hello = hello
        self.moved_at = now  # nothing could be sent before
        self.vector = self.kept_part(hello.vector)
        self.hello = attrs.evolve(hello, vector=self.vector)
        if hello.protocol != PROTOCOL:
            return self.close(f"protocol {hello.protocol}, this program speaks {PROTOCOL}")
        self.send(self.log_reader.hello())
        self.heartbeat(now)
        connected = Connected(hello.name, self.direction, hello.region, hello.origin)
        return [connected, *self.check_origin(hello.vector)]

    def check_origin(self, vector: Vector) -> list[Event]:
        """Report once that a region knows effects of our origin that we have not made."""
        db = self.log_reader.replica.keyspace
        if self.reused or self.is_follower or vector.get(db.origin, 0) <= db.seq:
            return []
        self.reused = True
        return [OriginReused(self.peer, db.origin)]

    @property
    def is_follower(self) -> bool:
        """Return whether the other end is a follower (Replica Of)."""
        return self.hello is not None and self.hello.role == FOLLOWER

    def receive_ack(self, ack: Ack, now: int) -> list[Event]:
        """Process an acknowledgement."""
        ack = attrs.evolve(ack, vector=self.kept_part(ack.vector)) if self.is_follower else ack
        if not self.acked_bytes <= ack.received_bytes <= self.sent_bytes:
            raise RemoteProtocolError(
                f"{ack.received_bytes} bytes acknowledged of {self.sent_bytes}"
            )
        if ack.received_bytes > self.acked_bytes:
            self.moved_at = now
            self.is_stuck = False
        self.acked_bytes = ack.received_bytes
        is_first = self.measure(ack, now)
        self.pace.acknowledged(self.acked_bytes, self.sent_bytes, now, ack.stamp, self.rtt_best)
        if is_first:
            self.heartbeat(now)
        self.progress.acknowledge(ack.vector)
        self.cursor.acknowledge(ack.vector)
        if len(self.progress.acknowledged) > ORIGINS_MAX:
            raise RemoteProtocolError(f"more than {ORIGINS_MAX} origins acknowledged")
        self.mark(now)
        self.notify()
        if self.is_follower:
            return []
        return [
            Reported(self.peer, self.region, ack.vector, ack.clock),
            *self.check_origin(ack.vector),
        ]

    def resume(self, frame: Resume) -> list[Event]:
        """Process the sink's vector, and the regions that it wants over this link. What the vector
        covers is not sent again. It does not count as acknowledged, since some may be buffered."""
        self.check_outbox()
        if sum(isinstance(frame, Resumed) for frame in self.outbox) >= RESUMES_MAX:
            raise RemoteProtocolError("it resumes again and again without waiting for a reply")
        routes = None if frame.routes is None else frozenset(frame.routes)
        if not self.cursor.resume(self.kept_part(frame.vector), routes):
            self.truncate()
            return []
        self.catch_up()
        self.tally.partial_ok += 1
        self.send(Resumed())
        return [Resynced(self.peer, self.direction, False)]

    def fill_gap(self, gap: GapRequest) -> None:
        """Process a request for the ops of one origin."""
        if self.cursor.fill_gap(gap.origin, gap.after):
            self.notify()
        else:
            self.reply(GapRefused(gap.origin))

    def refuse_gap(self, origin: Origin) -> None:
        """Report to the sink that the history does not hold the ops of a gap any more."""
        self.send(GapRefused(origin))

    # -- stages ----------------------------------------------------------------------------

    def truncate(self) -> None:
        """Report to the sink that the backlog does not reach back to it."""
        self.move(S.TRUNCATED)
        self.tally.partial_err += 1
        self.send(Truncated())

    def catch_up(self) -> None:
        """Send ops from the present position."""
        self.progress.move(Stage.CATCHING_UP)
        self.arrive()

    def arrive(self) -> None:
        """Change the stage when the whole backlog has been sent."""
        if self.cursor.is_at_goal():
            self.progress.move(Stage.STREAMING)

    # -- sending ---------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """The bytes of ops and pieces that are not acknowledged."""
        return self.sent_bytes - self.acked_bytes

    @property
    def needs_history(self) -> bool:
        """Return whether the ops from the cursor's position on will be sent, since the sink has
        resumed or receives a snapshot, and takes what is sent."""
        if self.is_stuck:
            return False
        return self.state is S.SENDING or (
            self.state is S.SNAPSHOT and self.outgoing.snapshot is not None
        )

    @property
    def ready(self) -> bool:
        """Return whether `frames_to_send` has something, or ops to look through."""
        if self.outbox:
            return True
        if self.in_flight >= self.pace.window_bytes:
            return False
        if self.parts_left:
            return True
        if self.state is S.SENDING:
            return self.cursor.has_more()
        if self.state is S.SNAPSHOT:
            return self.outgoing.can_go_on
        return False

    def frames_to_send(self) -> list[Frame]:
        """Return what to send next, about a batch at most. A closed end may have a last frame."""
        frames, self.outbox = self.outbox, []
        if self.in_flight < self.pace.window_bytes:
            if self.parts_left:
                frames.append(self.next_part())
            elif self.state is S.SENDING:
                frames += self.next_ops()
            elif self.state is S.SNAPSHOT:
                frames += self.next_piece()
            self.pace.sent(self.in_flight)
        return frames

    def next_part(self) -> Frame:
        """Return the next frame of the batch that was read."""
        frame = self.parts[len(self.parts) - self.parts_left]
        self.parts_left -= 1
        if not self.parts_left:
            self.parts = ()
        size = len(frame.data) if isinstance(frame, OpPart) else sum(map(len, frame.batch))
        self.sent_bytes += size
        self.tally.bytes += size
        return frame

    def skip(self) -> bool:
        """Skip ops that are not sent over this link. Return whether there is something to send."""
        cursor = self.cursor
        if self.found or self.state is not S.SENDING or cursor.has_gaps() or self.outbox:
            return self.ready
        limit_bytes = self.pace.batch_bytes
        while self.ready and not self.parts_left and cursor.is_kept():
            if not cursor.skip_batch(limit_bytes):
                self.found = True
                return True
            self.arrive()
        return self.ready

    def next_ops(self) -> list[Frame]:
        """Read the next batch of ops. Return its first frame."""
        self.found = False
        batch = self.cursor.next_batch(self.pace.batch_bytes)
        if batch is None:
            self.truncate()
            frames, self.outbox = self.outbox, []
            return frames
        self.tally.ops += batch.ops
        self.parts, self.parts_left = batch.frames, len(batch.frames)
        self.arrive()
        return [self.next_part()] if self.parts_left else []

    def next_piece(self) -> list[Frame]:
        """Return the next part of the snapshot."""
        if self.outgoing.snapshot is None:
            return self.begin_snapshot()
        part = self.outgoing.next_part(self.pace.batch_bytes)
        if part is None:
            return self.end_snapshot()
        self.sent_bytes += len(part.data)
        self.tally.bytes += len(part.data)
        return [part]

    def begin_snapshot(self) -> list[Frame]:
        """Take a snapshot of the present state. Later writes follow as ops."""
        snapshot = self.outgoing.begin()
        if snapshot is None:
            return []
        self.cursor.begin_snapshot(snapshot.vector)
        return [SnapshotBegin(dict(snapshot.vector))]

    def end_snapshot(self) -> list[Frame]:
        """Continue with ops, since the whole snapshot was sent."""
        self.outgoing.drop()
        self.move(S.SENDING)
        self.cursor.end_snapshot()
        self.catch_up()
        self.tally.full += 1
        return [SnapshotEnd()]

    def wake(self) -> None:
        """Wake the writer, since a turn to send a snapshot has become free."""
        self.notify()

    # -- time ------------------------------------------------------------------------------

    @property
    def deadline(self) -> int:
        """The time (ns of the monotone clock) at which `tick` must be called."""
        if self.state is S.CLOSED:
            return NEVER
        if self.state is S.AWAITING_HELLO:
            return self.silent_at
        due = self.beat_at
        silent = self.silent_at
        return silent if silent < due else due

    def tick(self, now: int) -> list[Event]:
        """Do what is due: send a heartbeat, and close if the peer is silent or stuck."""
        events = self.close_if_silent(now)
        self.note_empty_link(now)
        self.is_stuck = now - self.moved_at > self.limits.silence_ns_max
        if now - self.moved_at > self.limits.idle_ns_max:
            events += self.close(
                f"nothing acknowledged for {self.limits.idle_ns_max // 1_000_000} ms"
            )
        if now >= self.beat_at and self.state is not S.AWAITING_HELLO and not self.closed:
            self.heartbeat(now)
        return events

    def heartbeat(self, now: int) -> None:
        """Send our vector, and the reports of the regions whose ops the sink gets from us."""
        self.beat(now)
        self.note_empty_link(now)
        replica = self.log_reader.replica
        self.mark(now)
        held = now - self.stamped_at
        clock = replica.keyspace.expiry_clock
        vector = dict(replica.keyspace.vector)
        self.send_view()
        reports, pause = self.reports(), self.announced_ns
        self.send(Heartbeat(vector, clock, reports, now, self.stamp, held, pause))

    def note_empty_link(self, now: int) -> None:
        """Restart the time without acknowledgement if nothing is on its way. Otherwise the first
        data after a rest would count as unacknowledged since before the rest."""
        if self.in_flight == 0:
            self.moved_at = now

    def beat_now(self, now: int) -> None:
        self.heartbeat(now)

    def reports(self) -> tuple[Report, ...]:
        """Return the reports of the regions behind us; for a follower, one of what is stable."""
        replica, stability = self.log_reader.replica, self.log_reader.replica.stability
        if self.is_follower or self.cursor.routes is None:
            stable = replica.stable()
            clock = stability.clock(replica.keyspace.expiry_clock)
            return ((self.log_reader.member.region, stable, clock),)
        regions = self.cursor.routes | set(map(region_of, self.cursor.extra))
        found: list[Report] = []
        left = REPORTED_ORIGINS_MAX
        for region in sorted(regions):
            report = stability.report_of(region)
            if report is not None and region != self.region and len(report) <= left:
                left -= len(report)
                found.append((region, report, stability.clock_of(region)))
        return tuple(found)

    def mark(self, now: int) -> None:
        """Record (now, our last seq). The lag of unacknowledged effects is computed from it."""
        db = self.log_reader.replica.keyspace
        self.progress.mark(now, db.origin, db.seq)

    def lag_ns(self, now: int) -> int:
        """Return for how long (ns) the oldest of our effects has not been acknowledged."""
        self.mark(now)  # the sink may have resumed with more
        return self.progress.lag_ns(now)

    def behind(self) -> int:
        """Return how many effects that are sent over this link the sink has not acknowledged."""
        vector = self.log_reader.replica.keyspace.vector
        return lacking(self.progress.acknowledged, self.cursor.wanted_part(vector))
