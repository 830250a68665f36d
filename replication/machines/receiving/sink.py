"""The receiving end of a link. A pure machine: frames and time in, frames and events out.

Its states are those of `sink_states`.

Ops are applied immediately. They are acknowledged, by bytes or by time, whether they were applied
or buffered. The window bounds what is under way, and the causal buffer what waits. If buffered ops
were not acknowledged, the window could fill up before the op that they wait for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from crdt.causality.dots import Origin, Vector, dominates, lacking, region_of
from crdt.embed.replica import Outcome
from crdt.errors import DecodeError, IdentityReused
from crdt.store.merge import Incoming
from replication.machines.endpoint import NEVER, End, always_false
from replication.machines.receiving.applier import Applier, finish_op, read_piece
from replication.machines.receiving.copy_age import CopyAge
from replication.machines.receiving.pieces import PartBuffer
from replication.machines.receiving.sink_states import MOVES, OPEN, TRANSITIONS, SinkState
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    CaughtUp,
    Connected,
    Event,
    GapUnfilled,
    Merged,
    OpsReceived,
    OriginReused,
    Reported,
    Resynced,
    SnapshotWanted,
    Stalled,
)
from replication.protocol.frames import (
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
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Peer

STALLS_MAX: Final = 5  # doublings of the pause of a sink whose buffer is full: to 1.6 seconds
FIRST_TRIPS_NS: Final = SECOND  # on a new connection: RFC 6298's timeout before a measurement
ACK_BYTES: Final = 4 << 10  # at first, so that the source soon learns how fast the link is

S = SinkState


@attrs.frozen
class SinkStatistics:
    """The state of a sink, in numbers."""

    peer: str
    state: SinkState
    received_bytes: int
    behind: int
    lag_ns: int
    asked: frozenset[Origin]


class Sink(End):
    """The receiving end of a connection. Made by `Links.dial`, with the interface of `Source`."""

    direction = Direction.IN

    def __init__(
        self, applier: Applier, peer: Peer, hello: Hello, now: int, limits: Limits
    ) -> None:
        super().__init__(now, limits)
        self.state = S.AWAITING_HELLO
        self.applier = applier
        self.expected = peer
        self.routes = peer.routes
        self.outbox.append(hello)
        self.received_bytes = 0
        self.acked_bytes = 0
        self.data_at = now
        """The time at which data last came, or was requested."""
        self.is_answered = False
        """True if the other end has sent anything at all."""
        self.ack_at = NEVER
        self.resume_at = NEVER
        self.stalls = 0
        """The number of stalls in a row, without a batch or a snapshot in between."""
        self.parts = PartBuffer(applier.begin_op)
        self.incoming: Incoming | None = None
        self.asked: frozenset[Origin] = frozenset()
        """The origins whose ops we have requested to fill a gap."""
        self.goal: Vector | None = {}
        """The vector of the source in its Hello; None once we have all of that."""
        self.age = CopyAge(now)
        self.reused = False
        self.defers: Callable[[], bool] = always_false
        """True if a snapshot comes from another peer. Ops are requested when it is merged."""
        self.merges = 0
        """The number of snapshots merged here when this link began to need one, or -1."""

    # -- the common part of ends -----------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self.state is S.CLOSED

    @property
    def peer(self) -> str:
        return self.expected.name

    @property
    def region(self) -> int:
        return self.expected.region

    def table(self) -> Mapping[tuple[enum.Enum, type[Frame]], enum.Enum]:
        return TRANSITIONS

    def enter(self, state: enum.Enum) -> None:
        assert isinstance(state, SinkState)
        self.state = state

    def shut(self) -> None:
        self.state = S.CLOSED
        self.incoming = None
        self.parts.clear()

    def move(self, state: SinkState) -> None:
        """Change to `state` without a frame."""
        assert (self.state, state) in MOVES, f"{self.state.name} to {state.name}"
        self.state = state

    # -- receiving -------------------------------------------------------------------------

    def receive(self, frame: Frame, now: int) -> list[Event]:
        """Process a frame. Ops and snapshots are applied to the replica. Raises
        RemoteProtocolError if the frame may not come now, or is damaged."""
        before = self.state
        self.step(before, frame, now)
        try:
            match frame:
                case Ops():
                    return self.receive_ops(frame.batch, sum(map(len, frame.batch)), now)
                case OpPart() | SnapshotPiece():
                    return self.receive_part(frame, now)
                case SnapshotEnd():
                    return self.merge(now)
                case _:
                    if isinstance(frame, Hello | Resumed):
                        self.data_at = now
                    return self.receive_control_frame(frame, before, now)
        except DecodeError as error:
            raise RemoteProtocolError(f"{type(frame).__name__}: {error}") from error
        except IdentityReused as error:
            ours = error.origin == self.applier.origin()
            return [*(self.reuse(error.origin) if ours else ()), *self.close(str(error))]

    def receive_control_frame(self, frame: Frame, before: SinkState, now: int) -> list[Event]:
        """Process a frame that carries no data."""
        match frame:
            case Heartbeat():
                return self.receive_heartbeat(frame, now)
            case Hello():
                return self.receive_hello(frame)
            case Resumed() if before is not S.LOADING:
                self.tally.partial_ok += 1
                return [Resynced(self.peer, self.direction, False)]
            case Truncated() if before is not S.LOADING:
                self.tally.partial_err += 1
                return [SnapshotWanted(self.peer)]
            case SnapshotBegin():
                if self.incoming is not None:
                    raise RemoteProtocolError("a snapshot inside another")
                self.incoming = self.applier.incoming()
            case GapRefused() if frame.origin in self.asked:
                self.asked -= {frame.origin}
                return [GapUnfilled(self.peer, frame.origin)]
            case Present() | Lacking():
                return self.receive_statement(frame)
            case ConvergenceRequest() | ConvergenceReply():
                return self.receive_convergence_frame(frame)
            case Refuse() | Eof():
                return self.ended(frame)
            case _:
                # Replies to requests that have been withdrawn.
                assert isinstance(frame, Resumed | Truncated | GapRefused), f"no rule for {frame!r}"
        return []

    def receive_hello(self, hello: Hello) -> list[Event]:
        """Process the Hello of the source."""
        self.hello = hello
        self.vector = self.goal = hello.vector
        if hello.protocol != PROTOCOL:
            return self.close(f"protocol {hello.protocol}, this program speaks {PROTOCOL}")
        if self.defers():
            self.move(S.WAITING)
            self.merges = -1
        else:
            self.send(Resume(self.applier.held(), self.routes))
        connected = Connected(self.peer, self.direction, hello.region, hello.origin)
        return [connected, *self.reuse(self.applier.lost(hello.vector))]

    def reuse(self, origin: Origin) -> list[Event]:
        """Report once that the source knows effects of our `origin` that we have not made. `origin`
        is 0 if it knows none."""
        if self.reused or not origin:
            return []
        self.reused = True
        return [OriginReused(self.peer, origin)]

    def receive_heartbeat(self, frame: Heartbeat, now: int) -> list[Event]:
        """Process the source's vector and the reports of other regions."""
        if self.measure(frame, now):
            self.ack(now)
        self.age.record_report(frame.stamp, self.trip, self.rtt_best, now)
        events = self.check_caught_up()
        events.append(Reported(self.peer, self.region, frame.vector, frame.clock))
        events += [Reported(self.peer, *report) for report in frame.reports]
        return events + self.reuse(self.applier.lost(frame.vector))

    # -- data ------------------------------------------------------------------------------

    def count(self, size: int, now: int) -> None:
        """Record that `size` bytes have come, which have to be acknowledged."""
        self.data_at = now
        self.received_bytes += size
        self.tally.bytes += size
        self.ack_at = min(self.ack_at, now + self.limits.ack_ns + self.queueing_ns // 2)
        enough = min(self.limits.ack_bytes, max(ACK_BYTES, self.received_bytes >> 3))
        if self.received_bytes - self.acked_bytes >= enough:
            self.ack(now)

    def receive_ops(self, batch: tuple[bytes, ...], size: int, now: int) -> list[Event]:
        """Apply or buffer ops."""
        return self.take(batch, self.applier.accept, size, now)

    def take(
        self, batch: tuple[Any, ...], accept: Callable[[Any], Outcome], size: int, now: int
    ) -> list[Event]:
        """Apply or buffer ops by means of `accept`."""
        if self.passes_by:
            self.count(size, now)
            return []
        events: list[Event] = []
        before = self.applier.applied()
        for data in batch:
            if accept(data) is Outcome.REFUSED and self.state is S.STREAMING:
                self.move(S.STALLED)
                self.resume_at = now + (self.limits.stall_ns << self.stalls)
                self.stalls = min(self.stalls + 1, STALLS_MAX)
                events.append(Stalled(self.peer))
                break
        else:
            self.stalls = 0
        self.tally.ops += len(batch)
        self.count(size, now)
        events.insert(0, OpsReceived(self.peer, self.applier.applied() - before))
        return events if self.age.is_covered else events + self.check_caught_up()

    def receive_part(self, frame: OpPart | SnapshotPiece, now: int) -> list[Event]:
        """Add a part of what is too large for one frame. Ops that are ignored are not kept, and
        pieces are accepted only while a snapshot is loaded."""
        if isinstance(frame, SnapshotPiece) and self.incoming is None:
            raise RemoteProtocolError("a piece outside a snapshot")
        whole = self.parts.add(frame, keep=not self.passes_by)
        if whole is not None and not isinstance(whole, bytes):
            return self.take((whole,), finish_op, len(frame.data), now)
        if whole is not None and self.incoming is not None:
            read_piece(self.incoming, whole)
        self.count(len(frame.data), now)
        return []

    @property
    def passes_by(self) -> bool:
        """True if ops are ignored, since they are sent again after we have resumed."""
        return self.state is S.STALLED or self.state is S.RESUMING

    def merge(self, now: int) -> list[Event]:
        """Merge the snapshot, which is complete."""
        if self.incoming is None:
            raise RemoteProtocolError("an end outside a snapshot")
        incoming, self.incoming = self.incoming, None
        self.applier.merge(incoming)
        self.stalls = 0
        self.tally.full += 1
        self.ack(now)
        resynced = Resynced(self.peer, self.direction, True)
        return [Merged(self.peer), resynced, *self.check_caught_up()]

    # -- what is lacking -------------------------------------------------------------------

    def carries(self, origin: Origin) -> bool:
        """Return whether the source sends the ops of `origin` without a request."""
        return self.routes is None or region_of(origin) in self.routes

    def behind(self) -> int:
        """Return how many effects are missing that the source is known to have and should send."""
        due = {origin: seq for origin, seq in self.vector.items() if self.carries(origin)}
        return lacking(self.applier.vector(), due)

    def check_caught_up(self) -> list[Event]:
        """Record whether we have all that the source has last reported. Report once that we have
        all of its Hello."""
        if self.behind() == 0:
            self.age.record_covered()
        if self.goal is None or not dominates(self.applier.vector(), self.goal):
            return []
        self.goal = None
        return [CaughtUp(self.peer)]

    def lag_ns(self, now: int) -> int:
        """Return the age of our copy of the source's data."""
        return self.age.age_ns(now, 2 * self.pause_ns)

    # -- for Links -------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Return whether the handshake is complete and the link is not closed."""
        return self.state in OPEN

    def brings(self, origin: Origin, seq: int) -> bool:
        """Return whether the source is to send the ops of `origin` and has more of them than `seq`.
        It sends them in order, so they come as long as any data comes. A source that has answered
        but has not sent its vector may have them, and one that resumes may have got them since."""
        if self.state in (S.AWAITING_HELLO, S.RESUMING) and self.carries(origin):
            return self.is_answered
        if self.state not in (S.STREAMING, S.RESUMING):
            return False
        is_promised = origin in self.asked or self.carries(origin)
        return is_promised and self.vector.get(origin, 0) > seq

    @property
    def trips_ns(self) -> int:
        """The time (ns) of three round trips, or an upper estimate before the first measurement."""
        return 3 * self.rtt if self.rtt or self.state is S.STREAMING else FIRST_TRIPS_NS

    def note_bytes(self, now: int) -> None:
        """Record that a part of a frame has come. On a slow link it is mostly data."""
        super().note_bytes(now)
        self.data_at = now
        self.is_answered = True

    def load(self, *, replaces: bool = False) -> None:
        """Request a snapshot. If it `replaces` our data, report that we have none: the source must
        send later what it has lost and gets back."""
        self.move(S.LOADING)
        if replaces:
            nothing = Resume({}, self.routes)
            self.outbox = [nothing if isinstance(f, Resume) else f for f in self.outbox]
        self.send(SnapshotRequest())

    def resume(self, now: int) -> None:
        """Request the backlog again, after what we have now."""
        self.move(S.RESUMING)
        self.data_at = now
        self.send(Resume(self.applier.held(), self.routes))

    def fill(self, origin: Origin, after: int, now: int) -> None:
        """Request the ops of `origin` after its effect `after`."""
        assert self.is_open
        self.data_at = now
        self.asked |= {origin}
        self.send(GapRequest(origin, after))

    def unfill(self, origin: Origin) -> None:
        """Withdraw the request for the ops of `origin`, which come another way again."""
        if origin in self.asked:
            self.asked -= {origin}
            self.send(GapEnd(origin))

    # -- sending, and time -----------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Return whether `frames_to_send` has something."""
        return len(self.outbox) > 0

    def frames_to_send(self) -> list[Frame]:
        """Return what to send next, as `Source.frames_to_send` does."""
        frames, self.outbox = self.outbox, []
        return frames

    def ack(self, now: int) -> None:
        """Send what we have applied, and the number of bytes that have come."""
        self.beat(now)
        self.acked_bytes = self.received_bytes
        self.ack_at = NEVER
        held = now - self.stamped_at
        clock = self.applier.clock()
        self.send_view()
        vector, size = self.applier.vector(), self.received_bytes
        self.send(Ack(vector, size, clock, now, self.stamp, held, self.announced_ns))

    def beat_now(self, now: int) -> None:
        self.ack(now)

    @property
    def deadline(self) -> int:
        """The time (ns of the monotone clock) at which `tick` must be called."""
        if self.state is S.CLOSED:
            return NEVER
        if self.state is S.AWAITING_HELLO:
            return self.silent_at
        due = self.beat_at
        if self.ack_at < due:
            due = self.ack_at
        if self.state is S.STALLED and self.resume_at < due:
            due = self.resume_at
        silent = self.silent_at
        return silent if silent < due else due

    def tick(self, now: int) -> list[Event]:
        """Do what is due: acknowledge, resume, and close if the peer is silent."""
        events = self.close_if_silent(now)
        if self.closed:
            return events
        if self.state is S.STALLED and now >= self.resume_at:
            self.resume(now)
        if now >= min(self.ack_at, self.beat_at):
            if self.state is not S.AWAITING_HELLO:
                self.ack(now)
        return events

    def statistics(self, now: int) -> SinkStatistics:
        """Return the state of the sink, in numbers."""
        return SinkStatistics(
            peer=self.peer,
            state=self.state,
            received_bytes=self.received_bytes,
            behind=self.behind(),
            lag_ns=self.lag_ns(now),
            asked=self.asked,
        )
