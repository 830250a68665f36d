"""The state of the links of a replica, in numbers."""

from __future__ import annotations

import attrs

from crdt.causality.dots import Vector
from replication.machines.endpoint import Tally
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.peers import Direction, Peer


@attrs.frozen
class LinkStatistics:
    """A link, seen from our end of it; counts since the replica's start."""

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


def statistics_of(
    link: tuple[Peer, Direction],
    end: Source | Sink | None,
    tally: Tally,
    *,
    is_cut: bool,
    now: int,
) -> LinkStatistics:
    """Return the figures of one link; `end` is None while it is not connected."""
    peer, direction = link
    return LinkStatistics(
        peer=peer.name,
        region=peer.region,
        direction=direction,
        state="down" if end is None else end.state.value,
        stage=end.progress.stage.value if isinstance(end, Source) else "",
        cut=is_cut,
        lag_ms=0.0 if end is None else end.lag_ns(now) / 1e6,
        rtt_ms=0.0 if end is None else end.rtt / 1e6,
        behind=0 if end is None else end.behind(),
        **attrs.asdict(tally),
        acknowledged=end.progress.acknowledged if isinstance(end, Source) else {},
    )
