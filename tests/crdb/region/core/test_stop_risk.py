"""The data that would be lost if a process stopped."""

from __future__ import annotations

from crdb.engine.events.operator_events import DataAtRiskEvent
from crdb.region.core.stop_risk import count_risks
from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.protocol.frames import FOLLOWER, Ack, Heartbeat, Hello, Resume
from replication.protocol.peers import Member, Peer
from tests.replication.ends import EU, US, hello, write


def region(count: int = 2) -> Links:
    """Return region 1, which has written so much, with links to regions 2 and 3."""
    replica = Replica(1)
    for number in range(count):
        replica.string(f"k{number}").set("v")
        replica.seal()
    peers = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
    return Links(replica, Member("r1", 1, replica.origin), peers)


def risk(keys: int, writes: int, *, is_last: bool) -> DataAtRiskEvent:
    """Return the data of region 1 that would be lost."""
    return DataAtRiskEvent(region="r1", keys=keys, writes=writes, is_last=is_last)


def test_region_without_peers_loses_everything() -> None:
    assert count_risks({"r1": region()}) == [risk(2, 2, is_last=True)]
    assert count_risks({"r1": region(0)}) == []


def test_peer_without_data_does_not_reduce_loss() -> None:
    links = region()
    links.receive(links.dial("r2", 0), hello(2), 0)
    assert count_risks({"r1": links}) == [risk(2, 2, is_last=True)]


def test_effects_that_peer_has_reported_are_safe() -> None:
    links = region()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2, {EU: 1}), 0)
    assert count_risks({"r1": links}) == [risk(2, 2, is_last=False)]
    links.receive(sink, Heartbeat({EU: 1, US: 1}, 0), 0)
    assert count_risks({"r1": links}) == [risk(2, 1, is_last=False)]
    source = links.serve(0)
    links.receive(source, hello(3), 0)
    links.receive(source, Resume({}, (1,)), 0)
    while source.ready:
        source.frames_to_send()
    links.receive(source, Ack({US: 2}, 0), 0)
    assert count_risks({"r1": links}) == []


def test_regions_of_same_process_and_copies_keep_nothing() -> None:
    links, other = region(), region(0)
    links.receive(links.dial("r2", 0), hello(2, {US: 2}), 0)
    assert count_risks({"r1": links}) == []
    assert count_risks({"r1": links, "r2": other}) == [risk(2, 2, is_last=True)]
    links = region()
    copy = Hello("copy", 9, make_origin(9), "", {US: 2}, FOLLOWER)
    links.receive(links.serve(0), copy, 0)
    assert count_risks({"r1": links}) == [risk(2, 2, is_last=True)]


def test_state_put_aside_counts() -> None:
    links = region()
    write(links.replica)
    links.reincarnate(0)
    assert count_risks({"r1": links}) == [risk(3, 3, is_last=True)]
