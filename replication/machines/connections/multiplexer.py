"""The links of several slot groups over one connection. A pure machine: frames and time in, frames
and events out. Deadlines and ticks stay with the links of each group.

Each slot group has its own replica, links and ends, which are independent of the other groups. The
multiplexer passes each incoming frame to the end of its group, and marks outgoing frames with
their group. Group 0 needs no mark, so a connection of group 0 alone has the same bytes with and
without a multiplexer.

The ends take turns, one batch each, so that a group with a long backlog does not delay the others.
If one end closes, the others go on. The connection is over when all are closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import attrs

from replication.machines.endpoint import nobody
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.frames import Eof, Frame, Grouped

GroupEvent: TypeAlias = tuple[int, Event]
"""A slot group, and an event of its link."""


class LinkOwner(Protocol):
    """The owner of an end, which processes its frames: `replication.mesh.links.Links`."""

    def receive(self, end: Source | Sink, frame: Frame, now: int) -> list[Event]:
        """Process a frame of one connection. A frame that breaks the protocol closes the link."""
        ...

    def broken(self, end: Source | Sink, error: RemoteProtocolError, now: int) -> list[Event]:
        """Close a connection whose bytes were not frames."""
        ...

    def refuse(self, end: Source | Sink, error: RemoteProtocolError, now: int) -> list[Event]:
        """Close a connection whose other end has not proved that it knows the secret."""
        ...


@attrs.frozen(eq=False)
class GroupLink:
    """The end of one slot group, and its owner."""

    group: int
    end: Source | Sink
    owner: LinkOwner


class Multiplexer:
    """An end of a connection that carries the links of several slot groups."""

    def __init__(self) -> None:
        self.notify: Callable[[], None] = nobody
        self.links: dict[int, GroupLink] = {}
        self.turns: list[GroupLink] = []
        """The links in the order in which they send. A link that has sent moves to the end."""

    def attach(self, group: int, end: Source | Sink, owner: LinkOwner) -> None:
        """Let this connection carry the link of a slot group."""
        assert group not in self.links, f"slot group {group} is attached already"
        link = GroupLink(group, end, owner)
        self.links[group] = link
        self.turns.append(link)
        end.notify = self.notify

    def start(self, notify: Callable[[], None]) -> None:
        """Call `notify` when an end has something to send, or has closed."""
        self.notify = notify
        for link in self.turns:
            link.end.notify = notify

    @property
    def closed(self) -> bool:
        """Return whether the links of all groups are over."""
        for link in self.turns:  # loops, since most connections carry one link
            if not link.end.closed:
                return False
        return True

    def receive(self, frame: Frame, now: int) -> list[GroupEvent]:
        """Pass a frame to the end of its group; the end of the stream concerns all ends. A frame
        for a link that is over is ignored, since the other end may not know yet. Raises
        RemoteProtocolError if this connection does not carry the group."""
        if isinstance(frame, Eof):
            return [pair for link in self.turns for pair in self.deliver(link, frame, now)]
        group, inner = (frame.group, frame.frame) if isinstance(frame, Grouped) else (0, frame)
        link = self.links.get(group)
        if link is None:
            carried = ", ".join(map(str, sorted(self.links)))
            raise RemoteProtocolError(
                f"a frame of slot group {group}; this connection carries the groups {carried}"
            )
        return self.deliver(link, inner, now)

    def deliver(self, link: GroupLink, frame: Frame, now: int) -> list[GroupEvent]:
        """Pass a frame to one end, unless that is closed."""
        if link.end.closed:
            return []
        return [(link.group, event) for event in link.owner.receive(link.end, frame, now)]

    def fail(self, error: RemoteProtocolError, now: int, *, is_proven: bool) -> list[GroupEvent]:
        """Close all links, since the other end has sent wrong bytes. Before it has proved that it
        knows the secret (`is_proven`), the links count as refused."""
        events: list[GroupEvent] = []
        for link in self.turns:
            close = link.owner.broken if is_proven else link.owner.refuse
            events += [(link.group, event) for event in close(link.end, error, now)]
        return events

    def note_bytes(self, now: int) -> None:
        """Record for all ends that a part of a frame has come."""
        for link in self.turns:
            link.end.note_bytes(now)

    @property
    def ready(self) -> bool:
        """Return whether `frames_to_send` has something, or something to look through."""
        for link in self.turns:
            if link.end.ready:
                return True
        return False

    def frames_to_send(self) -> list[Frame]:
        """Return what the next end that is ready has to send, about a batch at most."""
        for index, link in enumerate(self.turns):
            if link.end.ready:
                del self.turns[index]
                self.turns.append(link)
                frames = link.end.frames_to_send()
                if link.group == 0:
                    return frames
                return [Grouped(link.group, frame) for frame in frames]
        return []
