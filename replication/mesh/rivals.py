"""Find out that another process runs as our region. Pure.

Two processes that run as one region must not both write: peers accept the writes of one of them
only. A peer keeps the process that it is linked with, and refuses another one for as long as the
first is alive (`replication.mesh.admission.refuse_rival`). The process that is refused is told why,
and accepts no writes until its peers take it.

Two processes may even have the same incarnation, if a state directory was copied. A peer cannot
distinguish them. To it each connection is one more of the same process, so it closes the older one.
Each process sees that its latest connection was replaced, although it has not made a newer one. If
this repeats, it takes another incarnation, and the peers can distinguish the two.
"""

from __future__ import annotations

from typing import Final

from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.events import Event, OriginShared, RivalFound, RivalGone

REPLACED: Final = "replaced by a newer connection"
REPLACED_MAX: Final = 3
"""Connections in a row that were replaced. One may be: a network can delay an older connection so
that it arrives after the newer one."""


def describe_rival(name: str) -> str:
    """Return why a process that runs as region `name` is refused."""
    return f"another process runs as {name} and is linked already: stop all but one"


class Rivals:
    """The signs that another process runs as our region `name`."""

    def __init__(self, name: str) -> None:
        self.refusal = describe_rival(name)
        self.peers: set[str] = set()
        """The peers that refuse us because of another process."""
        self.replaced: dict[str, int] = {}
        """By peer: the connections in a row that another one has replaced."""

    def is_told(self, end: Sink | Source, reason: str) -> bool:
        """Return whether the other end has refused us because of another process."""
        return end.is_refused and reason == self.refusal

    def record_close(self, end: Sink | Source, reason: str) -> list[Event]:
        """Process the end of a link with a peer. It is the latest one that we have made."""
        peer = end.peer
        if self.is_told(end, reason):
            is_first = not self.peers
            self.peers.add(peer)
            return [RivalFound(peer)] if is_first else []
        if not isinstance(end, Sink):
            return []
        if not end.is_refused or reason != REPLACED:
            self.replaced.pop(peer, None)
            return []
        self.replaced[peer] = self.replaced.get(peer, 0) + 1
        if self.replaced[peer] < REPLACED_MAX:
            return []
        self.replaced.clear()
        return [OriginShared(peer)]

    def record_link(self, peer: str) -> list[Event]:
        """Record that a peer exchanges operations with us."""
        if peer not in self.peers:
            return []
        self.peers.discard(peer)
        return [] if self.peers else [RivalGone(peer)]
