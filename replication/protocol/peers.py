"""The participants of links: ourselves, and the regions that we are linked with."""

from __future__ import annotations

import enum

import attrs

from crdt.causality.dots import Origin
from replication.protocol.frames import Members


@attrs.frozen
class Member:
    """Our introduction to peers: the name that others dial us by, the id of the CRDB that we
    belong to, and the regions that our file lists."""

    name: str
    region: int
    origin: Origin
    cluster: str = ""
    members: Members = ()


@attrs.frozen
class Peer:
    """A region that we are linked with. `routes` are the numbers of the regions whose ops we get
    from it: itself, and those whose shortest way to us leads through it; without any we do not
    dial it. Routes None ask for all that it has. `serves` says whether it gets ops from us."""

    name: str
    region: int
    routes: tuple[int, ...] | None = ()
    serves: bool = True
    is_guest: bool = False


class Direction(enum.Enum):
    """The direction in which data flows, seen from us."""

    IN = "in"
    OUT = "out"


def link_ends(source: str, sink: str) -> tuple[tuple[str, str, Direction], ...]:
    """Return the two ends of a link, the source's first: the region, its peer and the direction."""
    return (source, sink, Direction.OUT), (sink, source, Direction.IN)
