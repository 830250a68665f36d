"""Linked regions converge despite cuts, crashes, overruns and long delays."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.events import (
    Closed,
    Connected,
    DisputedStateResolved,
    GapFound,
    GapUnfilled,
    Merged,
    OriginReused,
    Resynced,
    SnapshotWanted,
    Stalled,
)
from replication.protocol.limits import MS, Limits
from replication.protocol.peers import Direction
from tests.replication.ends import US, of
from tests.replication.wire import WireWorld, line, mesh

IN, OUT = Direction.IN, Direction.OUT


def test_three_regions_agree_soon_and_go_direct_way() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world.run(200)
    for name in world.sites:
        world[name].write(lambda r: r.counter("k").increment(1))
    world.run(25)
    assert world.agrees()
    for site in world.sites.values():
        assert site.links.repair.repair_peers == {}
        assert [row.ops for row in site.links.statistics(world.now)] == [1, 1, 1, 1]


def test_third_region_bridges_cut() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world.run(200)
    world.cut_pair("a", "b")
    world["a"].write(lambda r: r.string("x").set("from a"))
    world.run(30)
    world["c"].write(lambda r: r.string("y").set("has seen x"))
    world.run(30)
    assert world["b"].replica.string("y").get() is None, "not before what it has seen"
    world.run(300)
    assert world.agrees()
    assert any(isinstance(event, GapFound) for event in world["b"].events)
    assert world["b"].links.repair.repair_peers[US].peer == "c"
    world["a"].write(lambda r: r.string("x").set("once more"))
    world.run(45)
    assert world.agrees(), "from now on a's ops come through c without being asked for"
    world.heal_pair("a", "b")
    world.run(1000)
    assert world["b"].links.repair.repair_peers == {}
    assert world["b"].links.sinks["c"].asked == frozenset()


def test_data_beyond_all_backlogs_comes_by_snapshot() -> None:
    world = WireWorld(mesh("a", "b", "c"), history_bytes=1)
    world.run(200)
    world.cut_pair("a", "b")
    for number in range(5):
        world["a"].write(lambda r, n=number: r.string(f"k{n}").set("v"))
    world.run(60)
    world["c"].write(lambda r: r.string("k").set("v"))
    world.run(3000)
    assert world.agrees()
    kinds = [type(event) for event in world["b"].events]
    assert kinds.count(GapUnfilled) == 1
    assert kinds.count(Merged) == 1


def test_of_two_that_need_snapshot_one_waits_and_needs_none() -> None:
    world = WireWorld(mesh("a", "b", "c"), history_bytes=1)
    world.run(200)
    for peer in ("a", "b"):
        world.cut_pair(peer, "c")
    for name in ("a", "b"):
        for number in range(5):
            world[name].write(lambda r, n=number: r.string(f"k{n}").set("v"))
    world.run(300)
    for peer in ("a", "b"):
        world.heal_pair(peer, "c")
    world.run(2000)
    assert world.agrees()
    events = world["c"].events
    assert sum(isinstance(event, SnapshotWanted) for event in events) == 2
    assert sum(isinstance(event, Merged) for event in events) == 1


def test_crash_in_middle_of_snapshot_lets_next_begin() -> None:
    world = WireWorld(mesh("a", "b", "c"), history_bytes=1, limits=Limits(batch_bytes_max=10))
    world.run(200)
    for name in ("a", "b"):
        world.cut_pair(name, "c")
        for number in range(5):
            world[name].write(lambda r, n=number: r.string(f"k{n}").set("v"))
    world.run(300)
    for name in ("a", "b"):
        world.heal_pair(name, "c")
    sinks = world["c"].links.sinks
    while not any(sink.state is SinkState.LOADING for sink in sinks.values()):
        world.run(5)
    snapshot_peer = next(name for name, sink in sinks.items() if sink.state is SinkState.LOADING)
    world[snapshot_peer].crash()
    world.run(2000)
    assert world.agrees()
    assert [e.peer for e in world["c"].events if isinstance(e, Merged)] != [snapshot_peer]
    world[snapshot_peer].restart()
    world.run(3000)
    assert world.agrees()


def test_restarted_region_recovers_sent_writes() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world["a"].write(lambda r: r.string("k").set("v"))
    world.run(300)
    world["a"].crash()
    world.run(300)
    world["a"].restart()
    world.run(1000)
    assert world.agrees()
    assert world["a"].replica.vector == {US: 1}
    world["a"].write(lambda r: r.string("k").set("w"))
    world.run(1000)
    assert world.agrees()
    assert world["c"].replica.vector == {US: 1, make_origin(1, 1): 1}


def test_region_with_lost_counter_takes_new_incarnation() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world.amnesia = True
    for number in range(3):
        world["a"].write(lambda r, n=number: r.string(f"k{n}").set("v"))
    world.run(300)
    world["a"].crash()
    world.run(100)
    world["a"].incarnation -= 1
    world["a"].restart()
    while not any(isinstance(event, OriginReused) for event in world["a"].events):
        world.run(5)
    site = world["a"]
    assert site.links.reincarnate(world.now) == make_origin(1, 1)
    assert site.links.member.origin == site.replica.origin == make_origin(1, 1)
    world["a"].write(lambda r: r.string("k0").set("w"))
    world.run(2000)
    assert world.agrees()
    written = world["b"].replica.vector
    assert written == {US: 3, make_origin(1, 1): 2}, "and forgot that both writes never end"
    assert world["b"].replica.string("k1").get() == "v"


def test_writes_under_reused_origin_are_kept_under_another() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    world.amnesia = True
    for number in range(3):
        world["a"].write(lambda r, n=number: r.string(f"k{n}").set("v"))
        world["a"].write(lambda r: r.counter("n").increment(10))
    world.run(300)
    world["a"].crash()
    world.run(100)
    world["a"].incarnation -= 1
    world["a"].restart()
    site = world["a"]
    site.write(lambda r: r.string("k0").set("under a name that is taken"))
    site.write(lambda r: r.counter("n").increment(7))
    while not any(isinstance(event, OriginReused) for event in site.events):
        world.run(5)
    applied = site.links.reincarnate(world.now)
    assert site.replica.vector == {}
    world.run(2000)
    assert world.agrees()
    (moved,) = set(site.replica.vector) - {US, applied}
    assert (site.replica.vector[US], site.replica.vector[moved]) == (6, 2)
    assert site.replica.string("k0").get() == "under a name that is taken"
    assert site.replica.counter("n").value == 37
    assert DisputedStateResolved("c", merged=True, moved=True) in site.events


def with_full_buffer(limits: Limits) -> WireWorld:
    """Return three regions. c has seen a write of a that b lacks, and sends b more than its causal
    buffer holds. The links between a and b are cut."""
    world = WireWorld(mesh("a", "b", "c"), gate_bytes=1, limits=limits)
    world.run(200)
    world.cut_pair("a", "b")
    world["a"].write(lambda r: r.string("x").set("v"))
    world.run(50)
    for _ in range(3):
        world["c"].write(lambda r: r.string("y").set("v"))
    return world


def test_full_causal_buffer_accepts_awaited_op() -> None:
    world = with_full_buffer(Limits())
    world.run(5000)
    assert world.agrees()
    assert any(isinstance(event, Stalled) for event in world["b"].events)


def test_stalled_link_resumes_when_buffer_is_empty() -> None:
    limits = Limits(stall_ns=60_000 * MS, repair_delay_ns=60_000 * MS, no_link_delay_ns=60_000 * MS)
    world = with_full_buffer(limits)
    world.run(50)
    assert world["b"].links.sinks["c"].state is SinkState.STALLED
    world.heal_pair("a", "b")
    world.run(2000)
    assert world["b"].links.sinks["c"].state is SinkState.STREAMING
    assert world.agrees()


def test_stalled_link_resumes_when_snapshot_has_emptied_buffer() -> None:
    limits = Limits(stall_ns=60_000 * MS, repair_delay_ns=60_000 * MS, no_link_delay_ns=60_000 * MS)
    world = with_full_buffer(limits)
    world["a"].replica.history.resize(1)
    world["a"].write(lambda r: r.string("z").set("v"))
    world.run(50)
    assert world["b"].links.sinks["c"].state is SinkState.STALLED
    world.heal_pair("a", "b")
    world.run(2000)
    assert of(Merged, world["b"].events) == [Merged("a")]
    assert world["b"].links.sinks["c"].state is SinkState.STREAMING
    assert world.agrees()


def test_along_line_everything_is_relayed_and_becomes_stable() -> None:
    world = WireWorld(line("a", "b", "c", "d"))
    world.run(300)
    world["a"].write(lambda r: r.string("x").set("v"))
    world.run(65)
    assert world.agrees(), "three hops of 20 ms each"
    world.run(2000)
    for site in world.sites.values():
        assert site.replica.statistics().stable == {US: 1}
        assert not any(isinstance(event, GapFound) for event in site.events)


def test_query_reaches_all_regions_and_returns() -> None:
    world = WireWorld(line("a", "b", "c", "d"))
    world.run(300)
    questions = world["a"].links.convergence_queries
    world["d"].write(lambda r: r.string("x").set("v"))
    early = questions.start_query()
    world.run(100)
    assert questions.find_result(early) is None, "three hops of 20 ms, and back"
    world.run(30)
    assert questions.find_result(early) is False
    late = questions.start_query()
    world.run(130)
    assert questions.find_result(late) is True


def test_goodbye_names_its_reason() -> None:
    world = WireWorld(mesh("a", "b"))
    world.run(100)
    world["a"].note(world["a"].links.close_all("going down", world.now))
    world.run(25)
    reasons = [event.reason for event in world["b"].events if isinstance(event, Closed)]
    assert reasons == ["going down", "going down"]
    world.run(500)
    for direction in Direction:
        assert world["b"].events.count(Connected("a", direction, 1, US)) == 2
    assert Resynced("a", Direction.IN, False) in world["b"].events


def test_stalled_link_can_request_snapshot() -> None:
    world = WireWorld(line("a", "b", "c", "d"), history_bytes=1500, gate_bytes=1)
    world.run(300)
    world["d"].write(lambda r: r.string("k").set("v" * 500))
    world.run(300)
    world["d"].crash()
    for name in ("a", "b"):
        world[name].write(lambda r: r.set("t").add("x" * 300))
        world.run(300)
    world["d"].restart()
    world.run(5000)
    assert world.agrees()
    events = world["d"].events
    assert any(isinstance(event, Stalled) for event in events)
    assert sum(isinstance(event, Merged) for event in events) == 1
