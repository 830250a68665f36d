"""An end of one simulated connection: a link machine, a channel, and the pipe to the other end.

This does with simulated streams what `replication.drivers.stream` does with real ones, and nothing
else: bytes in, frames to the machine, frames of the machine out as bytes, hang up when it is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from replication.machines.sink import Sink
from replication.machines.source import Source
from replication.protocol.channel import Channel
from replication.protocol.frames import (
    Ack,
    Frame,
    Heartbeat,
    Hello,
    Ops,
    Resume,
    Resumed,
    SettleReply,
    SettleRequest,
    SnapshotPiece,
)
from sim.engine.checker import Violation
from sim.network.ways import Pipe

Machine: TypeAlias = Source | Sink

QUIET: Final = (Hello, Resume, Resumed, Ack, Heartbeat, SettleRequest, SettleReply)

BATCHES_MAX: Final = 200_000  # at once: of the smallest size far more than a run writes

OnMessage = Callable[[int, str, bool], None]
"""Told of a message: when it was sent, what it was, and whether it has arrived or never will."""


class Wire:
    """One end."""

    __slots__ = (
        "bad_until",
        "channel",
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

    def __init__(self, machine: Machine, channel: Channel) -> None:
        self.machine = machine
        self.channel = channel
        self.out: Pipe | None = None
        self.far: Wire | None = None
        """The other end, which is in the region `peer`."""
        self.peer = ""
        self.on_over: Callable[[Wire], None] | None = None
        self.over = False
        """Nothing goes in or out any more."""
        self.on_message: OnMessage | None = None
        self.marks: deque[tuple[int, int, str]] = deque()
        """Of the messages that are on their way here: where in the stream they end, when they were
        sent, and what they are."""
        self.sent = 0
        self.received = 0
        self.bad_until = -1
        """The place in the stream where the last wrong frame of this end ends; -1 if none."""
        self.flipped = 0
        """The bits that were flipped on the way before that frame was sent."""
        self.rest_ns = 0
        """The pause after each batch of a snapshot, in ns."""
        self.rests_until = 0
        self.on_rested: Callable[[], None] | None = None

    @property
    def can_send(self) -> bool:
        """True if frames can be put into the stream now."""
        return self.out is not None and self.channel.is_proven and not self.over

    def send_bad(self, data: bytes) -> None:
        """Send bytes that the machine has not made, and that end the connection."""
        assert self.out is not None
        self.flipped = self.out.way.tally.flipped
        self.out.send(data)
        self.sent += len(data)
        self.bad_until = self.sent

    @property
    def is_garbled(self) -> bool:
        """Return whether noise may have changed the last wrong frame of this end: if it changed the
        length, the other end waits for more."""
        return self.out is not None and self.out.way.tally.flipped != self.flipped

    def flush(self, now: int) -> None:
        """Send what the machine has to say, and hang up if it is closed."""
        machine, out = self.machine, self.out
        if out is None:
            self.close_unconnected()
            return
        channel = self.channel
        if greeting := self.greet():
            out.send(greeting)
        batches = 0
        while channel.is_proven and (machine.ready or (machine.closed and machine.outbox)):
            if now < self.rests_until and not machine.closed:
                break
            batches += 1
            if batches > BATCHES_MAX:
                raise Violation("liveness", f"a link with {machine.peer} is never done sending")
            frames = machine.frames_to_send()
            if not frames:
                break
            data = channel.wrap(frames)
            out.send(data)
            self.sent += len(data)
            self.rest(frames, now)
            if self.far is not None and self.far.on_message is not None:
                self.far.marks.append((self.sent, now, name_frames(frames)))
        if machine.closed and not self.over:
            self.over = True
            self.abandon()
            out.end("the peer hung up")
            if self.on_over is not None:
                self.on_over(self)

    def rest(self, frames: list[Frame], now: int) -> None:
        """Send no more for a while if these are of a snapshot."""
        if self.rest_ns and self.out is not None and self.on_rested is not None:
            if any(type(frame) is SnapshotPiece for frame in frames):
                self.rests_until = now + self.rest_ns
                self.out.way.engine.at(self.rests_until, self.on_rested)

    def greet(self) -> bytes:
        """Return what the handshake has to send."""
        greeting = self.channel.take_outgoing()
        self.sent += len(greeting)
        return greeting

    def close_unconnected(self) -> None:
        """The machine may close before the other end has heard that there is a connection."""
        if self.machine.closed:
            self.over = True

    def arrived(self, size: int) -> None:
        """Bytes have come in: tell of the messages that are complete."""
        self.received += size
        while self.marks and self.marks[0][0] <= self.received:
            _, sent_at, text = self.marks.popleft()
            if self.on_message is not None and text:
                self.on_message(sent_at, text, True)

    def abandon(self) -> None:
        """Nothing more will come in: tell of the messages that were on their way."""
        for _, sent_at, text in self.marks:
            if self.on_message is not None and text:
                self.on_message(sent_at, text, False)
        self.marks.clear()


def name_frames(frames: list[Frame]) -> str:
    """What is worth drawing of some frames."""
    names: dict[str, int] = {}
    for frame in frames:
        if not isinstance(frame, QUIET):
            count = len(frame.batch) if isinstance(frame, Ops) else 1
            names[type(frame).__name__] = names.get(type(frame).__name__, 0) + count
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())
