"""The end of a link that data flows to. A pure machine: frames and time in, frames and events out.

    GREETING    has said Hello, waits for the source's
    RESUMING    has said what it has, waits to hear whether the backlog reaches back that far
    STREAMING   takes in ops
    WAITING     the backlog does not reach; `load` or `resume` decides how to go on
    LOADING     takes in a snapshot, merged when it is complete
    STALLED     too much waits for its turn; lets ops pass by and resumes a moment later
    CLOSED      the end

What comes in is applied at once. It is acknowledged, by bytes or by time, whether it could be
applied or has to wait for its turn: the window bounds what is on its way, the causal gate what
waits. Were ops that wait not acknowledged, the op that they wait for could not get through.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector, dominates, lacking, region_of
from crdt.embed.replica import Outcome
from crdt.errors import DecodeError, IdentityReused
from crdt.store.merge import Incoming
from replication.machines.applier import Applier, read_piece
from replication.machines.endpoint import NEVER, End
from replication.machines.pieces import PartBuffer
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    CaughtUp,
    Connected,
    Event,
    GapUnfilled,
    Merged,
    OpsTaken,
    OriginReused,
    Reported,
    Resynced,
    SnapshotWanted,
    Stalled,
)
from replication.protocol.frames import (
    PROTOCOL,
    Ack,
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
    SettleReply,
    SettleRequest,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Peer

STALLS_MAX: Final = 5  # doublings of the pause of a sink whose gate is full: to 1.6 seconds
FIRST_TRIPS_NS: Final = SECOND  # of a new connection: RFC 6298's timeout before a measurement
ACK_BYTES: Final = 4 << 10  # at first, so that the source soon learns how fast the link is


class SinkState(enum.Enum):
    """See the module."""

    GREETING = "greeting"
    RESUMING = "resuming"
    STREAMING = "streaming"
    WAITING = "waiting"
    LOADING = "loading"
    STALLED = "stalled"
    CLOSED = "closed"


S = SinkState

# Where ops may come in, and where regular messages may.
OPEN: Final = (S.RESUMING, S.STREAMING, S.WAITING, S.LOADING, S.STALLED)

TRANSITIONS: Final[dict[tuple[enum.Enum, type[Frame]], enum.Enum]] = {
    (S.GREETING, Hello): S.RESUMING,
    (S.RESUMING, Resumed): S.STREAMING,
    (S.RESUMING, Truncated): S.WAITING,
    (S.STREAMING, Truncated): S.WAITING,
    (S.STALLED, Truncated): S.WAITING,
    (S.WAITING, Resumed): S.STREAMING,  # an answer to a question before the last
    (S.LOADING, Resumed): S.LOADING,
    (S.LOADING, Truncated): S.LOADING,
    (S.WAITING, Truncated): S.WAITING,
    (S.LOADING, SnapshotBegin): S.LOADING,
    (S.LOADING, SnapshotPiece): S.LOADING,
    (S.LOADING, SnapshotEnd): S.STREAMING,
    **{
        (state, kind): state
        for state in OPEN
        for kind in (
            Ops,
            OpPart,
            Heartbeat,
            Present,
            Lacking,
            GapRefused,
            SettleRequest,
            SettleReply,
        )
    },
    **{(state, kind): S.CLOSED for state in S if state is not S.CLOSED for kind in (Refuse, Eof)},
}

# Moves that no frame causes.
MOVES: Final = frozenset(
    {
        (S.WAITING, S.LOADING),
        (S.STREAMING, S.LOADING),
        (S.RESUMING, S.LOADING),
        (S.STALLED, S.LOADING),
        (S.WAITING, S.RESUMING),
        (S.STREAMING, S.STALLED),
        (S.STALLED, S.RESUMING),
    }
)


@attrs.frozen
class SinkStatistics:
    """How a sink is doing."""

    peer: str
    state: SinkState
    taken_bytes: int
    behind: int
    lag_ns: int
    asked: frozenset[Origin]


class Sink(End):
    """One connection that we dialled. Made by `Links.dial`; the interface is that of `Source`."""

    direction = Direction.IN

    def __init__(
        self, applier: Applier, peer: Peer, hello: Hello, now: int, limits: Limits
    ) -> None:
        super().__init__(now, limits)
        self.state = S.GREETING
        self.applier = applier
        self.expected = peer
        self.routes = peer.routes
        self.outbox.append(hello)
        self.taken = 0
        self.acked = 0
        self.data_at = now
        """The time at which data last came, or was asked for."""
        self.is_answered = False
        """True if the other end has sent anything at all."""
        self.ack_at = NEVER
        self.resume_at = NEVER
        self.stalls = 0
        """How often in a row we had to stop for lack of room."""
        self.parts = PartBuffer()
        self.incoming: Incoming | None = None
        self.asked: frozenset[Origin] = frozenset()
        """Origins whose ops we have asked for to fill a gap."""
        self.goal: Vector | None = {}
        """What the source had when it greeted us; None once we have it too."""
        self.covered = False
        self.covered_at = now
        self.reused = False
        self.merges = 0
        """How many snapshots had been merged here when this link came to need one."""

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
        """Go to `state` without a frame that says so."""
        assert (self.state, state) in MOVES, f"{self.state.name} to {state.name}"
        self.state = state

    # -- hearing ---------------------------------------------------------------------------

    def receive(self, frame: Frame, now: int) -> list[Event]:
        """Take in a frame. Raises RemoteProtocolError if it may not come now, or is damaged. Ops
        and snapshots are applied to the replica in here."""
        before = self.state
        self.step(before, frame, now)
        try:
            match frame:
                case Ops():
                    return self.take_ops(frame.batch, sum(map(len, frame.batch)), now)
                case OpPart() | SnapshotPiece():
                    return self.take_part(frame, now)
                case SnapshotEnd():
                    return self.merge(now)
                case _:
                    if isinstance(frame, Hello | Resumed):
                        self.data_at = now
                    return self.hear(frame, before, now)
        except DecodeError as error:
            raise RemoteProtocolError(f"{type(frame).__name__}: {error}") from error
        except IdentityReused as error:
            ours = error.origin == self.applier.origin()
            return [*(self.reuse(error.origin) if ours else ()), *self.close(str(error))]

    def hear(self, frame: Frame, before: SinkState, now: int) -> list[Event]:
        """Take in a frame that carries no data."""
        match frame:
            case Heartbeat():
                return self.take_heartbeat(frame, now)
            case Hello():
                return self.greet(frame)
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
                return self.take_statement(frame)
            case SettleRequest() | SettleReply():
                return self.receive_settle(frame)
            case Refuse() | Eof():
                return self.ended(frame)
            case _:
                # Answers to questions that we no longer ask.
                assert isinstance(frame, Resumed | Truncated | GapRefused), f"no rule for {frame!r}"
        return []

    def greet(self, hello: Hello) -> list[Event]:
        """The source has said who it is."""
        self.hello = hello
        self.vector = self.goal = hello.vector
        if hello.protocol != PROTOCOL:
            return self.close(f"protocol {hello.protocol}, this program speaks {PROTOCOL}")
        self.send(Resume(self.applier.held(), self.routes))
        connected = Connected(self.peer, self.direction, hello.region, hello.origin)
        return [connected, *self.reuse(self.applier.lost(hello.vector))]

    def reuse(self, origin: Origin) -> list[Event]:
        """The source knows effects of our `origin` that we have not made; 0 if it does not."""
        if self.reused or not origin:
            return []
        self.reused = True
        return [OriginReused(self.peer, origin)]

    def take_heartbeat(self, frame: Heartbeat, now: int) -> list[Event]:
        """The source says what it has, and what others have reported."""
        if self.measure(frame, now):
            self.ack(now)
        self.covered = False
        events = self.look(now)
        events.append(Reported(self.peer, self.region, frame.vector, frame.clock))
        events += [Reported(self.peer, *report) for report in frame.reports]
        return events + self.reuse(self.applier.lost(frame.vector))

    # -- taking in -------------------------------------------------------------------------

    def count(self, size: int, now: int) -> None:
        """So many bytes have been taken in, and are to be acknowledged."""
        self.data_at = now
        self.taken += size
        self.tally.bytes += size
        self.ack_at = min(self.ack_at, now + self.limits.ack_ns + self.queueing_ns // 2)
        if self.taken - self.acked >= min(self.limits.ack_bytes, max(ACK_BYTES, self.taken >> 3)):
            self.ack(now)

    def take_ops(self, batch: tuple[bytes, ...], size: int, now: int) -> list[Event]:
        """Apply ops, or let them wait for their turn."""
        if self.passes_by:
            self.count(size, now)
            return []
        events: list[Event] = []
        accept = self.applier.accept
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
        events.insert(0, OpsTaken(self.peer, self.applier.applied() - before))
        return events if self.covered else events + self.look(now)

    def take_part(self, frame: OpPart | SnapshotPiece, now: int) -> list[Event]:
        """Put together what is too large for one frame. Ops that pass by are not kept, and a piece
        is accepted only of a snapshot that we have asked for."""
        if isinstance(frame, SnapshotPiece) and self.incoming is None:
            raise RemoteProtocolError("a piece outside a snapshot")
        whole = self.parts.add(frame, keep=not self.passes_by)
        if whole is not None and isinstance(frame, OpPart):
            return self.take_ops((whole,), len(frame.data), now)
        if whole is not None and self.incoming is not None:
            read_piece(self.incoming, whole)
        self.count(len(frame.data), now)
        return []

    @property
    def passes_by(self) -> bool:
        """True if ops that come are not taken in: they are sent again after we have resumed."""
        return self.state is S.STALLED or self.state is S.RESUMING

    def merge(self, now: int) -> list[Event]:
        """The snapshot is complete."""
        if self.incoming is None:
            raise RemoteProtocolError("an end outside a snapshot")
        incoming, self.incoming = self.incoming, None
        self.applier.merge(incoming)
        self.tally.full += 1
        self.ack(now)
        return [Merged(self.peer), Resynced(self.peer, self.direction, True), *self.look(now)]

    # -- what is lacking -------------------------------------------------------------------

    def carries(self, origin: Origin) -> bool:
        """Whether the ops of `origin` come over this link without being asked for."""
        return self.routes is None or region_of(origin) in self.routes

    def behind(self) -> int:
        """How many effects the source is known to have that should have come from it."""
        due = {origin: seq for origin, seq in self.vector.items() if self.carries(origin)}
        return lacking(self.applier.vector(), due)

    def look(self, now: int) -> list[Event]:
        """Notice when we have all that the source last said, or first said, that it had."""
        if self.behind() == 0:
            self.covered = True
            self.covered_at = max(self.covered_at, self.stamped_at)
        if self.goal is None or not dominates(self.applier.vector(), self.goal):
            return []
        self.goal = None
        return [CaughtUp(self.peer)]

    def lag_ns(self, now: int) -> int:
        """How old what we see of the source is: the way, and for how long we have been behind."""
        late = now - max(self.covered_at, self.stamped_at)
        if self.covered and late <= 2 * self.limits.heartbeat_ns:
            return self.rtt // 2
        return self.rtt // 2 + now - self.covered_at

    # -- what Links decides ----------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether both ends have greeted each other, and the link is not over."""
        return self.state in OPEN

    def brings(self, origin: Origin, seq: int) -> bool:
        """Return whether the source has promised to send the ops of `origin`, and has more of them
        than `seq`. It sends them in order, so they come as long as data comes at all. A source that
        has answered but not yet said what it has may have them."""
        if self.state is S.GREETING:
            return self.is_answered and self.carries(origin)
        if self.state is not S.STREAMING and self.state is not S.RESUMING:
            return False
        is_promised = origin in self.asked or self.carries(origin)
        return is_promised and self.vector.get(origin, 0) > seq

    @property
    def trips_ns(self) -> int:
        """The time that a few round trips take, or may take if none has been measured yet."""
        return 3 * self.rtt if self.rtt or self.state is S.STREAMING else FIRST_TRIPS_NS

    def note_bytes(self, now: int) -> None:
        """Record that a part of a frame has come: on a slow link that is data, mostly."""
        super().note_bytes(now)
        self.data_at = now
        self.is_answered = True

    def load(self) -> None:
        """Ask for a snapshot."""
        self.move(S.LOADING)
        self.send(SnapshotRequest())

    def resume(self, now: int) -> None:
        """Ask again, from what we have by now."""
        self.move(S.RESUMING)
        self.data_at = now
        self.send(Resume(self.applier.held(), self.routes))

    def fill(self, origin: Origin, after: int, now: int) -> None:
        """Ask for the ops of `origin` beyond its effect `after`."""
        assert self.is_open
        self.data_at = now
        self.asked |= {origin}
        self.send(GapRequest(origin, after))

    def unfill(self, origin: Origin) -> None:
        """The ops of `origin` come another way again."""
        if origin in self.asked:
            self.asked -= {origin}
            self.send(GapEnd(origin))

    # -- saying, and time ------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether `frames_to_send` has something."""
        return len(self.outbox) > 0

    def frames_to_send(self) -> list[Frame]:
        """As `Source.frames_to_send`."""
        said, self.outbox = self.outbox, []
        return said

    def ack(self, now: int) -> None:
        """Say what we have applied and taken in."""
        self.said_at = now
        self.acked = self.taken
        self.ack_at = NEVER
        held = now - self.stamped_at
        clock = self.applier.clock()
        self.send_view()
        self.send(Ack(self.applier.vector(), self.taken, clock, now, self.stamp, held))

    @property
    def deadline(self) -> int:
        """When `tick` wants to be called: nanoseconds of the monotone clock."""
        if self.state is S.CLOSED:
            return NEVER
        if self.state is S.GREETING:
            return self.silent_at
        due = self.said_at + self.limits.heartbeat_ns + self.queueing_ns
        if self.ack_at < due:
            due = self.ack_at
        if self.state is S.STALLED and self.resume_at < due:
            due = self.resume_at
        silent = self.silent_at
        return silent if silent < due else due

    def tick(self, now: int) -> list[Event]:
        """Do what is due: acknowledgements, resuming, and giving up a silent peer."""
        events = self.close_if_silent(now)
        if self.closed:
            return events
        if self.state is S.STALLED and now >= self.resume_at:
            self.resume(now)
        if now >= min(self.ack_at, self.said_at + self.limits.heartbeat_ns + self.queueing_ns):
            if self.state is not S.GREETING:
                self.ack(now)
        return events

    def statistics(self, now: int) -> SinkStatistics:
        """How the sink is doing."""
        return SinkStatistics(
            peer=self.peer,
            state=self.state,
            taken_bytes=self.taken,
            behind=self.behind(),
            lag_ns=self.lag_ns(now),
            asked=self.asked,
        )
