"""An end of one simulated connection: a production `LinkConnection`, and the pipe to the other end.

This does with simulated streams what `replication.drivers.stream` does with real ones: it sends the
bytes of the connection, and hangs up when its links have closed. The process passes incoming bytes
to the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from replication.machines.connections.connection import LinkConnection
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import (
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Frame,
    Heartbeat,
    Hello,
    Ops,
    Resume,
    Resumed,
    SnapshotPiece,
)
from sim.engine.checker import Violation
from sim.network.ways import Pipe

Machine: TypeAlias = Source | Sink

QUIET: Final = (Hello, Resume, Resumed, Ack, Heartbeat, ConvergenceRequest, ConvergenceReply)

BATCHES_MAX: Final = 200_000  # in one flush: far more of the smallest size than a run writes

OnMessage = Callable[[int, str, bool], None]
"""Called for a message: when it was sent, its name, and True if it has arrived, False if it never
will."""


class Wire:
    """An end of a simulated connection."""

    __slots__ = (
        "bad_until",
        "connection",
        "far",
        "flipped",
        "machine",
        "marks",
        "on_message",
        "on_over",
        "on_rested",
        "out",
        "over",
        "peer",
        "received",
        "rest_ns",
        "rests_until",
        "sent",
    )

    def __init__(self, machine: Machine, connection: LinkConnection) -> None:
        self.machine = machine
        """The end of the link of slot group 0."""
        self.connection = connection
        self.out: Pipe | None = None
        self.far: Wire | None = None
        """The other end, which is in the region `peer`."""
        self.peer = ""
        self.on_over: Callable[[Wire], None] | None = None
        self.over = False
        """True if nothing is sent or received any more."""
        self.on_message: OnMessage | None = None
        self.marks: deque[tuple[int, int, str]] = deque()
        """The messages under way to this end: where in the stream they end, when they were sent,
        and their names."""
        self.sent = 0
        self.received = 0
        self.bad_until = -1
        """The position in the stream where the last wrong frame of this end ends; -1 if none."""
        self.flipped = 0
        """The number of bits that noise had flipped before that frame was sent."""
        self.rest_ns = 0
        """The pause after each batch of a snapshot, in ns."""
        self.rests_until = 0
        self.on_rested: Callable[[], None] | None = None

    @property
    def can_send(self) -> bool:
        """True if frames can be put into the stream now."""
        return self.out is not None and self.connection.channel.is_proven and not self.over

    def send_bad(self, data: bytes) -> None:
        """Send bytes that are not from the link and that end the connection."""
        assert self.out is not None
        self.flipped = self.out.way.tally.flipped
        self.out.send(data)
        self.sent += len(data)
        self.bad_until = self.sent

    @property
    def is_garbled(self) -> bool:
        """Return whether noise may have changed the last wrong frame of this end, or the length of
        one before it: the other end then waits for more."""
        if self.out is None:
            return False
        flipped = self.out.way.tally.flipped
        is_awaited = self.far is not None and self.far.has_torn_frame
        return flipped != self.flipped or (flipped > 0 and is_awaited)

    @property
    def has_torn_frame(self) -> bool:
        """Return whether a part of a frame has come to this end, and not the rest."""
        decoder = self.connection.channel.decoder
        return decoder is not None and len(decoder.buffer) > 0

    def flush(self, now: int) -> None:
        """Send what the connection has to send, and hang up if it is closed."""
        connection, out = self.connection, self.out
        if out is None:
            self.close_unconnected()
            return
        batches = 0
        while connection.ready and (now >= self.rests_until or connection.closed):
            batches += 1
            if batches > BATCHES_MAX:
                raise Violation(
                    "liveness", f"a link with {self.machine.peer} is never done sending"
                )
            frames = connection.next_batch()
            data = connection.encode_batch(frames)
            if not data:  # the operations that it has read are not for this peer
                continue
            out.send(data)
            self.sent += len(data)
            self.rest(frames, now)
            if self.far is not None and self.far.on_message is not None:
                self.far.marks.append((self.sent, now, name_frames(frames)))
        if connection.closed and not self.over:
            self.over = True
            self.abandon()
            out.end("the peer hung up")
            if self.on_over is not None:
                self.on_over(self)

    def rest(self, frames: list[Frame], now: int) -> None:
        """Pause if these frames are of a snapshot."""
        if self.rest_ns and self.out is not None and self.on_rested is not None:
            if any(type(frame) is SnapshotPiece for frame in frames):
                self.rests_until = now + self.rest_ns
                self.out.way.engine.at(self.rests_until, self.on_rested)

    def greet(self) -> bytes:
        """Return the bytes that the handshake has to send on accepting."""
        handshake = self.connection.data_to_send()
        self.sent += len(handshake)
        return handshake

    def close_unconnected(self) -> None:
        """Record that the links have closed before the connection was made."""
        if self.connection.closed:
            self.over = True

    def arrived(self, size: int) -> None:
        """Record that bytes have come in, and report the messages that are complete."""
        self.received += size
        while self.marks and self.marks[0][0] <= self.received:
            _, sent_at, text = self.marks.popleft()
            if self.on_message is not None and text:
                self.on_message(sent_at, text, True)

    def abandon(self) -> None:
        """Report the messages under way as lost, since nothing more will come in."""
        for _, sent_at, text in self.marks:
            if self.on_message is not None and text:
                self.on_message(sent_at, text, False)
        self.marks.clear()


def name_frames(frames: list[Frame]) -> str:
    """Return the names of the frames that are drawn in a diagram."""
    names: dict[str, int] = {}
    for frame in frames:
        if not isinstance(frame, QUIET):
            count = len(frame.batch) if isinstance(frame, Ops) else 1
            names[type(frame).__name__] = names.get(type(frame).__name__, 0) + count
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())
