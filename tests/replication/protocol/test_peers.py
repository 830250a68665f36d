"""Members and peers: their equality and errors."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from replication.protocol.peers import Direction, Member, Peer, link_ends


def test_peer_sends_nothing_without_request() -> None:
    peer = Peer("eu", 2)
    assert peer.routes == ()
    assert peer.serves


def test_member_belongs_to_cluster_by_name() -> None:
    assert Member("us", 1, make_origin(1)).cluster == ""
    assert [direction.value for direction in Direction] == ["in", "out"]


def test_link_has_end_in_each_region() -> None:
    assert link_ends("us", "eu") == (
        ("us", "eu", Direction.OUT),
        ("eu", "us", Direction.IN),
    )
