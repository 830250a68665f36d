"""The end of a link that data flows to. A pure machine: frames and time in, frames and events out.

GREETING    has said Hello, waits for the source's
RESUMING    has said what it has, waits to hear whether the backlog reaches back that far
STREAMING   takes in ops
WAITING     the backlog does not reach; `load` or `resume` decides how to go on
LOADING     takes in a snapshot, merged when it is complete
STALLED     too much waits for its turn; lets ops pass by and resumes a moment later
CLOSED      the end
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from replication.events import Event
from replication.frames import Frame
from replication.limits import Limits


class SinkState(enum.Enum):
    """See the module."""

    GREETING = "greeting"
    RESUMING = "resuming"
    STREAMING = "streaming"
    WAITING = "waiting"
    LOADING = "loading"
    STALLED = "stalled"
    CLOSED = "closed"


class Sink:
    """One connection that we dialled. Made by `Links.dial`; the interface is that of `Source`."""

    state: SinkState
    peer: str
    notify: Callable[[], None]
    limits: Limits

    def receive(self, frame: Frame, now: int) -> list[Event]:
        """As `Source.receive`. Ops and snapshots are applied to the replica in here."""
        raise NotImplementedError

    def frames_to_send(self) -> list[Frame]:
        """As `Source.frames_to_send`."""
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
        """Do what is due: acknowledgements, resuming, and giving up a silent peer."""
        raise NotImplementedError

    def close(self, reason: str) -> list[Event]:
        """End the link from this side."""
        raise NotImplementedError
