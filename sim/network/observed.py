"""A connection that shows its frames to an observer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from replication.machines.connections.connection import LinkConnection
from replication.machines.connections.multiplexer import GroupEvent
from replication.protocol.channel import Channel
from replication.protocol.frames import Frame

OnFrame: TypeAlias = Callable[[Frame], None]


class ObservedConnection(LinkConnection):
    """A connection that carries slot group 0. `on_sent` is called with each frame that is to go
    into the stream, `on_received` with each frame that was processed."""

    def __init__(self, channel: Channel, on_sent: OnFrame, on_received: OnFrame) -> None:
        super().__init__(channel)
        self.on_sent = on_sent
        self.on_received = on_received

    def deliver(self, frame: Frame, now: int) -> list[GroupEvent]:
        events = super().deliver(frame, now)
        self.on_received(frame)
        return events

    def next_batch(self) -> list[Frame]:
        frames = super().next_batch()
        for frame in frames:
            self.on_sent(frame)
        return frames
