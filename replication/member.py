"""Who takes part: ourselves, and the regions that we are linked with."""

from __future__ import annotations

import enum

import attrs

from crdt.dots import Origin


@attrs.frozen
class Member:
    """Who we are: the name that others dial us by, and the CRDB that we belong to."""

    name: str
    region: int
    origin: Origin
    cluster: str = ""


@attrs.frozen
class Peer:
    """A region that we are linked with. `routes` are the numbers of the regions whose ops we get
    from it: itself, and those whose shortest way to us leads through it; without any we do not
    dial it. Routes None ask for all that it has. `serves` says whether it gets ops from us."""

    name: str
    region: int
    routes: tuple[int, ...] | None = ()
    serves: bool = True


class Direction(enum.Enum):
    """Which way data flows, seen from us."""

    IN = "in"
    OUT = "out"
