"""The end of a link that data flows from. A pure machine: frames and time in, frames and events
out.

    GREETING    waits for the sink's Hello
    READY       both have said who they are; waits to be told where to begin
    SENDING     sends ops, first from the backlog, then as they are written
    TRUNCATED   the backlog does not reach back to the sink; waits to hear what it wants
    SNAPSHOT    sends the whole state; ops follow
    CLOSED      the end

The machine keeps no ops: it holds a position in the history and reads on from there, so what waits
for a slow sink costs nothing. At most `window_bytes_max` are unacknowledged.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from replication.events import Event
from replication.frames import Frame
from replication.limits import Limits


class SourceState(enum.Enum):
    """See the module."""

    GREETING = "greeting"
    READY = "ready"
    SENDING = "sending"
    TRUNCATED = "truncated"
    SNAPSHOT = "snapshot"
    CLOSED = "closed"


class Source:
    """One connection that we serve. Made by `Links.serve`.

    `peer` is the name of the member at the other end, empty until it has said it. `notify` is
    called when there may be frames to send, or the machine has closed: the driver sets it.
    """

    state: SourceState
    peer: str
    notify: Callable[[], None]
    limits: Limits

    def receive(self, frame: Frame, now: int) -> list[Event]:
        """Take in a frame. Raises RemoteProtocolError if it may not come now; the machine is
        closed then."""
        raise NotImplementedError

    def frames_to_send(self) -> list[Frame]:
        """What to send next, about a batch at most. Call it again while `ready`; a closed machine
        may have a last frame."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether `frames_to_send` has something."""
        raise NotImplementedError

    @property
    def deadline(self) -> int:
        """When `tick` wants to be called: nanoseconds of the monotone clock."""
        raise NotImplementedError

    def tick(self, now: int) -> list[Event]:
        """Do what is due: heartbeats, and giving up a silent peer."""
        raise NotImplementedError

    def close(self, reason: str) -> list[Event]:
        """End the link from this side; a Refuse with the reason goes out last."""
        raise NotImplementedError
