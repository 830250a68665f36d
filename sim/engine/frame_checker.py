"""The interface of checkers that examine the frames of links."""

from __future__ import annotations

from typing import Protocol

from mypy_extensions import mypyc_attr

from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.protocol.frames import Frame
from sim.engine.checker import Checker


class Linked(Protocol):
    """A process with links, as checkers see it: a region or a follower."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def replica(self) -> Replica:
        """Its copy of the data."""
        ...

    @property
    def dialling_links(self) -> Links:
        """The links that dial other processes."""
        ...

    @property
    def settled_at(self) -> int:
        """The time (ns) at which the latest work in slices ended; the present if it goes on."""
        ...

    @property
    def was_paused(self) -> bool:
        """True if it is paused, or was a moment ago."""
        ...

    def read_clock(self) -> int:
        """Return the monotonic clock, in ns."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class FrameChecker(Checker):
    """Base of checkers that examine frames. Every hook does nothing here."""

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Called when an end of a link in `process` has put a frame into its stream."""

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Called when an end of a link in `process` has processed a frame."""
