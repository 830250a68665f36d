"""An end of a connection between two processes, as a pure machine: bytes in, bytes out.

A channel turns bytes into frames once both ends have proved that they know the secret. A
multiplexer passes the frames to the link of each slot group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from replication.machines.connections.frame_speed import FrameSpeed
from replication.machines.connections.multiplexer import GroupEvent, LinkOwner, Multiplexer
from replication.machines.endpoint import NEVER, nobody
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import Eof, Frame


class LinkConnection:
    """A `StreamMachine` (see `contract`). Its events name their slot group."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.multiplexer = Multiplexer()
        self.notify: Callable[[], None] = nobody
        self.frames: deque[Frame] = deque()
        """The frames that have come and are not processed yet."""
        self.speed = FrameSpeed()
        self.fault: RemoteProtocolError | None = None
        """The fault of the other end that closed the links; None if there was none."""

    def attach(self, group: int, end: Source | Sink, owner: LinkOwner) -> None:
        """Let this connection carry the link of a slot group."""
        self.multiplexer.attach(group, end, owner)

    def start(self, notify: Callable[[], None]) -> None:
        """Call `notify` when there may be something to send, or when all links have closed."""
        self.notify = notify
        self.multiplexer.start(notify)

    @property
    def closed(self) -> bool:
        """Return whether the links of all groups are over."""
        return self.multiplexer.closed

    @property
    def ready(self) -> bool:
        """Return whether there may be something to send. Frames wait for the handshake."""
        if self.channel.has_outgoing:
            return True
        return self.channel.is_proven and self.multiplexer.ready

    @property
    def pending(self) -> bool:
        """Return whether frames that have come wait for `receive`."""
        return len(self.frames) > 0

    @property
    def read_bytes_max(self) -> int | None:
        """Return the bytes to read in one call: few before the other end has proved itself."""
        return self.channel.read_bytes_max

    @property
    def deadline(self) -> int:
        """Return NEVER: the deadlines of links are kept by `Links`."""
        return NEVER

    def receive(self, data: bytes, now: int) -> list[GroupEvent]:
        """Process `data`, up to the first frame that is complete. `pending` is True if there are
        more."""
        if data:
            was_proven = self.channel.is_proven
            try:
                frames = self.channel.receive(data)
                if frames:
                    self.speed.record_end(now)
                else:
                    self.note_part(len(data), now)
            except RemoteProtocolError as error:
                return self.fail(error, now)
            if not was_proven:
                self.notify()
            self.frames += frames
        if not self.frames:
            return []
        return self.deliver(self.frames.popleft(), now)

    def note_part(self, size: int, now: int) -> None:
        """Record that a part of a frame has come: its sender is not silent. Raises
        RemoteProtocolError if the frame would take too long."""
        self.multiplexer.note_bytes(now)
        self.speed.record_part(size, self.channel.missing_bytes, now)

    def deliver(self, frame: Frame, now: int) -> list[GroupEvent]:
        """Pass a frame to the link of its group."""
        try:
            return self.multiplexer.receive(frame, now)
        except RemoteProtocolError as error:
            return self.fail(error, now)

    def fail(self, error: RemoteProtocolError, now: int) -> list[GroupEvent]:
        """Close all links, since the other end has broken the protocol or proved nothing."""
        self.fault = error
        return self.multiplexer.fail(error, now, is_proven=self.channel.is_proven)

    def end(self, reason: str, now: int) -> list[GroupEvent]:
        """Process the end of the stream, which may be the answer to our proof."""
        try:
            (frame,) = self.channel.end(reason)
        except RemoteProtocolError as error:
            return self.fail(error, now)
        return self.multiplexer.receive(frame, now)

    def hang_up(self, reason: str, now: int) -> list[GroupEvent]:
        """Close all links from this side, without a message to the other end."""
        return self.multiplexer.receive(Eof(reason), now)

    def data_to_send(self) -> bytes:
        """Return the next messages of the handshake, then frames, about a batch at most."""
        return self.encode_batch(self.next_batch())

    def next_batch(self) -> list[Frame]:
        """Return the frames to send next; none before both ends have proved themselves."""
        return self.multiplexer.frames_to_send() if self.channel.is_proven else []

    def encode_batch(self, batch: list[Frame]) -> bytes:
        """Return the next messages of the handshake, then `batch`, as bytes."""
        handshake = self.channel.bytes_to_send() if self.channel.has_outgoing else b""
        return handshake + self.channel.wrap(batch)

    def tick(self, now: int) -> list[GroupEvent]:
        """Do nothing: `Links.tick` does what is due on links."""
        return []
