"""Recovery of a region that has lost its memory: the peers that it waits for, and the longest
wait."""

from __future__ import annotations

import pytest

from crdt.causality.dots import INCARNATION_MAX, make_origin
from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.links import Links
from replication.mesh.recovery import Recovery, unused_origin
from replication.protocol.events import CaughtUp, EarlierIncarnation, Event, Recovered
from replication.protocol.frames import Ack, Eof, Hello, Resume, Truncated
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.ends import AP, EU, US, hello, of, replica, snapshot_of, write
from tests.replication.wire import Site, WireWorld, line, mesh

NOBODY: frozenset[str] = frozenset()
OLD, NEW = make_origin(1), make_origin(1, 1)


# -- the rule ------------------------------------------------------------------------------


def test_recovery_needs_all_of_every_reachable_peer() -> None:
    recovery = Recovery(("eu", "ap"))
    assert not recovery.is_recovered_now(NOBODY)
    recovery.record_hello("eu")
    recovery.record_caught_up("eu")
    assert not recovery.is_recovered_now(NOBODY), "the other may know our last writes"
    recovery.record_hello("ap")
    assert not recovery.is_recovered_now(NOBODY)
    recovery.record_caught_up("ap")
    assert recovery.is_recovered_now(NOBODY)
    assert recovery.is_over
    assert not recovery.is_recovered_now(NOBODY), "once only"


def test_silent_peer_does_not_hold_up_recovery() -> None:
    recovery = Recovery(("eu", "ap"))
    recovery.record_failure("ap")
    assert not recovery.is_recovered_now(NOBODY), "somebody must have answered"
    recovery.record_hello("ap")
    recovery.record_caught_up("eu")
    assert not recovery.is_recovered_now(NOBODY)
    recovery.record_failure("ap")
    assert not recovery.is_recovered_now(NOBODY), "it was there a moment ago"
    recovery.record_failure("ap")
    assert recovery.is_recovered_now(NOBODY)
    assert recovery.last == "eu"


def test_expected_peer_is_awaited_until_attempt_fails() -> None:
    recovery = Recovery(("eu", "ap"))
    assert not recovery.expect_peer("ap")
    recovery.record_failure("ap")
    assert recovery.expect_peer("ap")
    recovery.record_caught_up("eu")
    assert not recovery.is_recovered_now(NOBODY)
    recovery.record_failure("ap")
    assert recovery.is_recovered_now(NOBODY)


def test_link_that_is_cut_brings_nothing() -> None:
    recovery = Recovery(("eu", "ap"))
    recovery.record_caught_up("eu")
    assert not recovery.is_recovered_now(NOBODY)
    assert recovery.is_recovered_now({"ap"})


def test_without_peers_nothing_comes_back() -> None:
    assert not Recovery(()).is_recovered_now(NOBODY)


def test_earlier_incarnation_is_reported_once_before_recovery() -> None:
    recovery = Recovery(("eu",))
    theirs = {OLD: 3, EU: 5}
    assert not recovery.shows_earlier_incarnation({NEW: 3, EU: 5}, {}, NEW), "that is this life"
    assert not recovery.shows_earlier_incarnation(theirs, {OLD: 3}, NEW), "it is here"
    assert recovery.shows_earlier_incarnation(theirs, {OLD: 2}, NEW)
    assert not recovery.shows_earlier_incarnation(theirs, {}, NEW)
    recovery = Recovery(("eu",))
    recovery.record_caught_up("eu")
    recovery.is_recovered_now(NOBODY)
    assert not recovery.shows_earlier_incarnation(theirs, {}, NEW)


def test_awaited_effects_of_each_peer_are_reported() -> None:
    recovery = Recovery(("ap", "eu", "sa", "us"))
    assert not recovery.has_all_answers
    recovery.record_hello("ap")
    recovery.record_failure("eu", "connection refused")
    assert recovery.awaited_peers({"us"}) == {
        "ap": "it has not sent all that it has",
        "eu": "connection refused",
        "sa": "it has not answered yet",
        "us": "the link is cut",
    }
    for peer in ("ap", "eu", "sa"):
        recovery.record_caught_up(peer)
    assert recovery.awaited_peers(NOBODY) == {"us": "it has not answered yet"}
    recovery.record_caught_up("us")
    assert recovery.awaited_peers({"us"}) == {}
    assert recovery.has_all_answers


def test_unused_incarnation_is_chosen() -> None:
    assert unused_origin(1, 0, []) == make_origin(1, 0)
    assert unused_origin(1, 0, [{make_origin(1, 4): 1}, {make_origin(2, 9): 1}]) == make_origin(
        1, 5
    )
    assert unused_origin(1, 30, [{make_origin(1, 4): 1}]) == make_origin(1, 30)
    last = {make_origin(1, INCARNATION_MAX): 1, make_origin(1, 0): 1}
    assert unused_origin(1, 0, [last]) == make_origin(1, 1), "after the last come those left free"
    everything = {make_origin(1, incarnation): 1 for incarnation in range(INCARNATION_MAX + 1)}
    with pytest.raises(ValueError, match="all incarnations of region 1"):
        unused_origin(1, 0, [everything])


# -- links ---------------------------------------------------------------------------------


def three() -> Links:
    """Return the links of region 1 of three, which is not its first incarnation."""
    here = replica(1)
    here.reincarnate(NEW)
    peers = (Peer("r2", 2, (2,)), Peer("r3", 3, (3,)), Peer("r4", 4))
    return Links(here, Member("r1", 1, NEW), peers)


def connect(links: Links, peer: int, vector: dict[int, int]) -> list[Event]:
    """Let a peer answer with its vector."""
    sink = links.dial(f"r{peer}", 0)
    links.receive(sink, hello(peer, vector), 0)
    sink.measured = True
    return links.handle(sink, sink.check_caught_up(), 0) + links.notice_recovery(0)


def test_empty_peer_does_not_end_recovery() -> None:
    """The region once stopped waiting, although another peer had our writes."""
    links = three()
    assert connect(links, 2, {}) == [CaughtUp("r2")]
    assert connect(links, 3, {OLD: 1, AP: 1}) == []
    writes = replica(1)
    write(writes)
    links.replica.accept(writes.since({})[0])
    other = replica(3)
    write(other)
    links.replica.accept(other.since({})[0])
    sink = links.sinks["r3"]
    events = links.handle(sink, sink.check_caught_up(), 0) + links.notice_recovery(0)
    assert events == [CaughtUp("r3"), Recovered("r3")]


def test_failed_attempt_is_noticed_at_next_tick() -> None:
    links = three()
    connect(links, 2, {})
    sink = links.dial("r3", 0)
    links.receive(sink, Eof("cannot connect"), 0)
    assert links.recovery.is_over or of(Recovered, links.tick(0))
    links = three()
    connect(links, 2, {})
    links.missed("r3")
    assert of(Recovered, links.tick(0)) == [Recovered("r2")]


def test_cut_is_noticed_at_once() -> None:
    links = three()
    connect(links, 2, {})
    assert links.cut("r3", Direction.OUT, 0) == []
    assert links.cut("r3", Direction.IN, 0) == [Recovered("r2")]


def test_first_peer_reveals_earlier_incarnation() -> None:
    links = three()
    source = links.serve(0)
    events = links.receive(source, hello(2, {OLD: 1}), 0)
    assert of(EarlierIncarnation, events) == [EarlierIncarnation("r2")]
    sink = links.dial("r3", 0)
    assert of(EarlierIncarnation, links.receive(sink, hello(3, {OLD: 1}), 0)) == []


def test_vector_of_follower_does_not_count() -> None:
    """The follower may use our number for another region."""
    links = three()
    follower = Hello("f", 9, make_origin(9), "", {OLD: 5}, 1)
    assert of(EarlierIncarnation, links.receive(links.serve(0), follower, 0)) == []


def test_another_incarnation_recovers_from_beginning() -> None:
    links = three()
    connect(links, 2, {})
    links.cut("r3", Direction.IN, 0)
    assert links.recovery.is_over
    links.reincarnate(0)
    assert not links.recovery.is_over
    assert of(Recovered, connect(links, 2, {})) == [Recovered("r2")]


# -- regions -------------------------------------------------------------------------------


def recovered(site: Site) -> bool:
    """Return whether a region has recovered in its present incarnation."""
    return site.links.recovery.is_over


def test_recovery_awaits_peer_with_last_writes() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world.run(200)
    world.cut_pair("a", "b")
    world.cut_pair("b", "c")
    world["a"].write(lambda r: r.counter("n").increment(7))
    world.run(200)
    world["a"].crash()
    world.heal_pair("a", "b")
    world.run(200)
    world.delays["a", "c"] = 10 * world.delay_ns
    world["a"].restart()
    world.run(100)
    assert any(isinstance(event, CaughtUp) for event in world["a"].events)
    assert not recovered(world["a"])
    while not recovered(world["a"]):
        world.run(5)
    assert world["a"].replica.counter("n").value == 7


def test_simultaneous_starts_do_not_wait_for_each_other() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world["a"].write(lambda r: r.counter("n").increment(7))
    world.run(300)
    for site in world.sites.values():
        site.crash()
    for site in world.sites.values():
        site.restart()
    world.run(200)
    assert all(map(recovered, world.sites.values()))
    assert world.vectors() == [{}, {}, {}], "nobody has anything: all had lost their memory"


def test_consecutive_restarts_recover_remaining_data() -> None:
    world = WireWorld(line("a", "b", "c"))
    world.run(200)
    world["a"].write(lambda r: r.counter("n").increment(7))
    world.run(300)
    world["a"].crash()
    world["b"].crash()
    world["a"].restart()
    world.run(200)
    assert not recovered(world["a"]), "it reaches nobody"
    world["b"].restart()
    world.run(1000)
    assert all(map(recovered, world.sites.values()))
    assert world.agrees()
    assert world["a"].replica.counter("n").value == 7
    assert world["a"].replica.vector == {US: 1}


# -- links that wait for a snapshot ---------------------------------------------------------


def loading(there: Replica) -> Links:
    """Return a region that has lost its memory, and loads the snapshot of region 2."""
    links = three()
    for peer in (2, 4):
        links.receive(links.dial(f"r{peer}", 0), hello(peer, there.vector), 0)
    links.receive(links.sinks["r2"], Truncated(), 0)
    assert links.sinks["r2"].state is SinkState.LOADING
    links.sinks["r2"].frames_to_send()
    return links


def asked_of(sink: Sink) -> list[Resume | Ack]:
    """Return the requests and acknowledgements that a link sends now."""
    return [said for said in sink.frames_to_send() if isinstance(said, Resume | Ack)]


def test_new_link_waits_for_snapshot_that_is_loaded() -> None:
    """The snapshot may contain the data that the peer of the new link has."""
    there = replica(2)
    write(there, 3)
    links = loading(there)
    ap = links.dial("r3", 0)
    links.receive(ap, hello(3, there.vector), 0)
    assert (ap.state, asked_of(ap)) == (SinkState.WAITING, [])
    links.receive(links.sinks["r4"], Truncated(), 0)
    assert ap.state is SinkState.WAITING, "also if a third one needs a snapshot"
    for frame in snapshot_of(there):
        links.receive(links.sinks["r2"], frame, 0)
    assert ap.state is SinkState.RESUMING
    assert [frame.vector for frame in asked_of(ap)] == [{EU: 3}, {EU: 3}]


def test_new_link_resumes_if_snapshot_does_not_come() -> None:
    there = replica(2)
    write(there, 3)
    links = loading(there)
    ap = links.dial("r3", 0)
    links.receive(ap, hello(3, there.vector), 0)
    links.receive(links.sinks["r2"], Eof("reset"), 0)
    assert (ap.state, asked_of(ap)) == (SinkState.RESUMING, [Resume({}, (3,))])


def test_link_of_region_that_has_recovered_does_not_wait() -> None:
    there = replica(2)
    write(there, 3)
    links = loading(there)
    links.recovery.is_over = True
    ap = links.dial("r3", 0)
    links.receive(ap, hello(3, there.vector), 0)
    assert ap.state is SinkState.RESUMING


def test_merged_snapshot_is_acknowledged_to_peers() -> None:
    """Otherwise the peers would send what the snapshot has brought."""
    there = replica(2)
    write(there, 3)
    links = three()
    ap = links.dial("r3", 0)
    links.receive(ap, hello(3, there.vector), 0)
    links.receive(links.dial("r2", 0), hello(2, there.vector), 0)
    links.receive(links.sinks["r2"], Truncated(), 0)
    ap.frames_to_send()
    for frame in snapshot_of(there):
        links.receive(links.sinks["r2"], frame, 0)
    assert [frame.vector for frame in asked_of(ap)] == [{EU: 3}]
