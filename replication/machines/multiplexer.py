"""The links of several slot groups over one connection. A pure machine: frames and time in, frames
and events out. Deadlines and ticks stay with the links of each group.

Each slot group has a replica, links and ends of its own, which know nothing of the other groups.
The multiplexer hands each frame that comes to the end of its group, and marks what the ends send
with their group. Group 0 needs no mark, so a connection of group 0 alone has the same bytes with
and without a multiplexer.

The ends take turns, one batch each, so that a group with a long backlog does not hold up others. An
end that has closed lets the others go on; the connection is over when all are closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from replication.machines.endpoint import nobody
from replication.machines.sink import Sink
from replication.machines.source import Source
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.frames import Eof, Frame, Grouped

Receive: TypeAlias = Callable[[Frame, int], list[Event]]
GroupEvent: TypeAlias = tuple[int, Event]
"""A slot group, and what has happened on its link."""


@attrs.frozen(eq=False)
class GroupLink:
    """The end of one slot group, and what takes in its frames: `Links.receive` of the group."""

    group: int
    end: Source | Sink
    receive: Receive


class Multiplexer:
    """One end of a connection that carries the links of several slot groups."""

    def __init__(self) -> None:
        self.notify: Callable[[], None] = nobody
        self.links: dict[int, GroupLink] = {}
        self.turns: list[GroupLink] = []
        """The links in the order in which they send; who has sent goes to the end."""

    def attach(self, group: int, end: Source | Sink, receive: Receive) -> None:
        """Let this connection carry the link of a slot group."""
        assert group not in self.links, f"slot group {group} is attached already"
        link = GroupLink(group, end, receive)
        self.links[group] = link
        self.turns.append(link)
        end.notify = self.wake

    def wake(self) -> None:
        """An end has something to send, or has closed."""
        self.notify()

    @property
    def closed(self) -> bool:
        """Return whether the links of all groups are over."""
        return all(link.end.closed for link in self.turns)

    def receive(self, frame: Frame, now: int) -> list[GroupEvent]:
        """Hand a frame to the end of its group; the end of the stream concerns all. What comes for
        a link that is over was sent before the other end knew. Raises RemoteProtocolError at a
        group that this connection does not carry."""
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
        """Hand a frame to one end, unless it is over."""
        if link.end.closed:
            return []
        return [(link.group, event) for event in link.receive(frame, now)]

    def note_bytes(self, now: int) -> None:
        """Record for all ends that a part of a frame has come."""
        for link in self.turns:
            link.end.note_bytes(now)

    @property
    def ready(self) -> bool:
        """Return whether `frames_to_send` has something, or something to look through."""
        return any(link.end.ready for link in self.turns)

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
