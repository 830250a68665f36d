"""How the links of a replica are doing, in numbers."""

from __future__ import annotations

import attrs

from crdt.dots import Vector
from replication.member import Direction


@attrs.frozen
class LinkStatistics:
    """One link, seen from our end of it; counts since the replica's start."""

    peer: str
    region: int
    direction: Direction
    state: str
    """`down`, or the state of the machine."""
    stage: str
    """Of a source: where the sink stands (see `progress`)."""
    cut: bool
    lag_ms: float
    """Of a sink: how old what we see of the peer is. Of a source: for how long the oldest of our
    effects has not been acknowledged."""
    rtt_ms: float
    behind: int
    """Effects of the routes that the receiving side is known to lack."""
    ops: int
    bytes: int
    connects: int
    full: int
    partial_ok: int
    partial_err: int
    last_error: str
    acknowledged: Vector
