"""A replica whose origin is disputed, and its peers: no data is lost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from crdt.causality.dots import INCARNATION_MAX, make_origin
from crdt.embed.replica import Replica
from replication.mesh.admission import MEMBERS_INCARNATIONS_MAX
from replication.mesh.links import Links
from replication.protocol.events import CaughtUp, DisputedStateResolved, OriginReused, Recovered
from replication.protocol.frames import Hello
from replication.protocol.peers import Member, Peer
from tests.replication.ends import hello, of, write
from tests.replication.wire import Site, WireWorld, mesh


def claim(world: WireWorld, site: Site, peer: Site, ahead: int = 1) -> None:
    """Let somebody report to `site`, in the name of `peer`, more of its writes than it has."""
    links = site.links
    vector = {**site.replica.vector, links.replica.origin: links.replica.keyspace.seq + ahead}
    linked = links.sinks.get(peer.name)
    known = linked.hello if linked is not None else None  # another origin is refused meanwhile
    origin = peer.replica.origin if known is None else known.origin
    forged = Hello(peer.name, peer.region, origin, "test", vector)
    events = links.receive(links.serve(world.now), forged, world.now)
    if of(OriginReused, events):
        links.reincarnate(world.now)


def filled(*names: str) -> WireWorld:
    """Return regions that all hold values of each type."""
    world = WireWorld(mesh(*names))
    for name in names:
        world[name].write(lambda r, n=name: r.string(n).set("v"))
        world[name].write(lambda r: r.counter("n").increment(1))
    world.run(400)
    assert world.agrees()
    return world


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_claims_at_all_regions_within_moment_lose_nothing(order: Sequence[str]) -> None:
    world = filled("a", "b", "c")
    for name in order:
        site = world[name]
        claim(world, site, world[order[order.index(name) - 1]])
        assert site.replica.keyspace.size() == 0
    world.run(2000)
    assert world.agrees()
    assert world["a"].replica.counter("n").value == 3
    assert {world["b"].replica.string(name).get() for name in "abc"} == {"v"}


@pytest.mark.parametrize("gap_ms", [0, 3, 20, 100])
def test_claims_again_and_again_lose_nothing(gap_ms: int) -> None:
    world = filled("a", "b")
    for number in range(12):
        here, there = (world["a"], world["b"]) if number % 2 else (world["b"], world["a"])
        claim(world, here, there, ahead=1 + number * 1000)
        world.run(gap_ms)
    world.run(3000)
    assert world.agrees()
    assert world["a"].replica.counter("n").value == 2


def test_claim_while_no_peer_is_within_reach_loses_nothing() -> None:
    world = filled("a", "b")
    world["b"].crash()
    claim(world, world["a"], world["b"])
    world.run(2000)
    assert of(DisputedStateResolved, world["a"].events) == [DisputedStateResolved("", merged=True)]
    assert of(Recovered, world["a"].events)[-1] == Recovered("")
    assert world["a"].replica.counter("n").value == 2


def test_empty_peer_with_disputed_state_does_not_count() -> None:
    """Region 1 has restarted. Region 2 has put its state aside, and so shows nothing at the
    moment."""
    links = Links(Replica(1), Member("r1", 1, make_origin(1)), [Peer("r2", 2, (2,))])
    sink = links.dial("r2", 0)
    hello_frame = Hello("r2", 2, make_origin(2), "", {}, holds_aside=True)
    links.receive(sink, hello_frame, 0)
    events = links.handle(sink, sink.check_caught_up(), 0) + links.notice_recovery(0)
    assert events == [CaughtUp("r2")]
    assert not links.recovery.is_over
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2), 0)
    events = links.handle(sink, sink.check_caught_up(), 0) + links.notice_recovery(0)
    assert of(Recovered, events) == [Recovered("r2")]


def test_state_put_aside_is_announced() -> None:
    replica = Replica(1)
    links = Links(replica, Member("r1", 1, replica.origin), [Peer("r2", 2, (2,))])
    write(replica)
    assert not links.log_reader.hello().holds_aside
    assert links.membership.view_to_send()
    links.reincarnate(0)
    assert links.log_reader.hello().holds_aside
    assert links.membership.view_to_send() == ()
    replica.string("other").set("v")
    first = links.memory.disputed_state
    links.reincarnate(0)
    second = links.memory.disputed_state
    assert first is not None
    assert second is not None
    assert second.vector.items() > first.vector.items(), "the second holds the first"
    links.missed("r2")
    assert len(links.tick(0)) == 2
    assert not links.log_reader.hello().holds_aside
    assert replica.keyspace.size() == 2


def test_vector_of_all_incarnations_leaves_one_to_take() -> None:
    replica = Replica(1)
    links = Links(replica, Member("r1", 1, replica.origin), [Peer("r2", 2, (2,))])
    everything = {make_origin(1, incarnation): 9 for incarnation in range(INCARNATION_MAX + 1)}
    source = links.serve(0)
    events = links.receive(source, hello(2, everything), 0)
    assert not of(OriginReused, events)
    assert f"more than {MEMBERS_INCARNATIONS_MAX} incarnations" in source.tally.last_error
    links.dial("r2", 0).vector = everything
    assert links.reincarnate(0) == make_origin(1, 1)
    replica.keyspace.vector |= everything
    with pytest.raises(ValueError, match="all incarnations of region 1"):
        links.reincarnate(0)


def test_effects_are_not_lost_before_all_peers_answer() -> None:
    replica = Replica(1)
    peers = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
    links = Links(replica, Member("r1", 1, replica.origin), peers)
    links.memory.expects_data = True
    links.recovery.record_failure("r3", "connection refused")
    links.recovery.record_caught_up("r2")
    assert links.memory.awaits_all()
    assert links.memory.finish_recovery(set(), []) == []
    assert not links.recovery.is_over
    links.recovery.record_caught_up("r3")
    assert not links.memory.awaits_all()
    assert links.memory.finish_recovery(set(), []) == [Recovered("r3")]


def test_state_put_aside_counts_as_held() -> None:
    replica = Replica(1)
    links = Links(replica, Member("r1", 1, replica.origin), [Peer("r2", 2, (2,))])
    write(replica)
    held = dict(replica.vector)
    assert links.memory.known_vector() == held
    links.reincarnate(0)
    assert replica.keyspace.vector == {}
    assert links.memory.known_vector() == held
    links.memory.expects_data = True
    assert not links.memory.awaits_all(), "it is not empty"
