"""The registry of connections."""

from __future__ import annotations

import pytest

from replication.mesh.registry import Registry
from replication.protocol.errors import UnknownPeer
from replication.protocol.peers import Direction, Peer


def test_no_link_is_connected_at_first() -> None:
    registry = Registry([Peer("eu", 2, (2,)), Peer("ap", 3, serves=False)])
    assert registry.ends() == []
    assert registry.known("eu").region == 2
    rows = registry.statistics(0)
    assert [(row.peer, row.direction, row.state) for row in rows] == [
        ("eu", Direction.IN, "down"),
        ("eu", Direction.OUT, "down"),
    ]


def test_unknown_name_is_error() -> None:
    with pytest.raises(UnknownPeer):
        Registry([]).known("eu")


def test_figures_are_kept_over_connections_and_cuts_are_seen() -> None:
    registry = Registry([Peer("eu", 2, (2,))])
    registry.tally("eu", Direction.IN).ops += 5
    registry.cuts.add(("eu", Direction.IN))
    (incoming, outgoing) = registry.statistics(0)
    assert (incoming.ops, incoming.cut, outgoing.cut) == (5, True, False)
