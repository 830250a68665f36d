"""The checker of traffic finds duplicate effects, endless repair and echoes."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.repair import RepairPeer
from replication.protocol.events import GapFound
from replication.protocol.frames import GapEnd
from replication.protocol.peers import Direction
from sim.checkers.links.traffic import FEW, SAMPLE, TrafficChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


def write(world: SimWorld, count: int) -> None:
    for number in range(count):
        world.run("eu", "SET", f"k{number}", "v")
        world.sleep(SECOND // 20)


def repeat(world: SimWorld, times: int) -> None:
    """Deliver the first operation of eu to us `times` more times."""
    (op, *_) = world.sites["eu"].replica.since({})
    for _ in range(times):
        world.sites["us"].links.local_applier.accept(op.to_bytes())


def excused(world: SimWorld) -> int:
    """Return the number of effects that us may receive again."""
    traffic = checker_of(world)
    assert isinstance(traffic, TrafficChecker)
    return traffic.excuses["us"].total()


def ask(world: SimWorld, helper: str) -> None:
    """Tell the checker that us has asked `helper` for what eu writes."""
    us, origin = world.sites["us"], world.sites["eu"].replica.origin
    us.links.repair.repair_peers[origin] = RepairPeer(helper, world.now)
    us.handle_events([GapFound(helper, origin, helper)])


def ignore(_origin: int) -> None:
    """Do not withdraw a request."""


def never(*_: object) -> int:
    """Return 0: no data ever comes."""
    return 0


def test_quiet_world_passes() -> None:
    world = fresh(TrafficChecker)
    write(world, 10)
    finish(world)
    assert world.checkers[0].looked == 20


def test_many_that_come_twice_are_caught() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    repeat(world, FEW + 10)
    with pytest.raises(Violation, match=r"50 of 60 effects came twice, with 0 requests"):
        finish(world)


def test_op_delayed_during_repair_may_come_twice() -> None:
    world = fresh(TrafficChecker)
    world.close_way("eu", "us")
    world.run("eu", "MSET", *(f"k{number}" for number in range(20)))
    world.sleep(2 * MS)
    eu, us = world.sites["eu"].replica.origin, world.sites["us"]
    world.sleep(SECOND)
    assert us.links.repair.requests >= 1
    assert us.replica.keyspace.vector[eu] == 10
    assert excused(world) == 10, "however often somebody was asked"
    world.open_way("eu", "us")
    world.sleep(SECOND)
    assert us.replica.effects_duplicate == 10
    repeat(world, FEW // 10 + 1)
    with pytest.raises(Violation, match=r"50 of 80 effects came twice, .* and 10 more with"):
        finish(world)


def make_gap(world: SimWorld) -> None:
    """Let us ask ap for what eu writes, since the way is closed. One effect is held up there."""
    world.close_way("eu", "us")
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    assert world.sites["us"].links.repair.requests >= 1
    assert excused(world) == 1


def test_what_is_sent_into_delay_during_repair_may_come_twice() -> None:
    world = fresh(TrafficChecker)
    make_gap(world)
    write(world, 10)
    world.sleep(SECOND)
    assert excused(world) == 11
    world.open_way("eu", "us")
    world.sleep(SECOND)
    assert world.sites["us"].replica.effects_duplicate == 11
    assert excused(world) == 0
    world.close_way("ap", "us")
    write(world, 10)
    assert excused(world) == 0, "nobody was asked for what eu writes now"
    repeat(world, FEW + 10)
    world.open_way("ap", "us")
    with pytest.raises(Violation, match=r"came twice, .* and 11 more with an excuse"):
        finish(world)


def test_what_is_sent_in_time_during_repair_is_not_excused() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sleep(SECOND)
    us, eu, ap = (world.sites[name] for name in ("us", "eu", "ap"))
    origin, traffic = eu.replica.origin, checker_of(world)
    us.links.repair.repair_peers[origin] = RepairPeer("ap", world.now)

    def excused_after(sender: SimRegion, count: int) -> int:
        """Return the number of effects excused when `sender` has sent us so many more."""
        sent = sender.links.sources["us"].cursor.sent
        sent[origin] = sent.get(origin, 0) + count
        traffic.on_turn_end(us, ())
        return excused(world)

    assert excused_after(eu, 0) == 0
    assert excused_after(eu, 5) == 0, "it comes in time"
    world.close_way("eu", "us")
    assert excused_after(eu, 3) == 3
    us.replica.keyspace.vector[origin] += 20
    assert excused_after(eu, 4) == 3, "it has come another way"
    world.close_way("ap", "us")
    assert excused_after(ap, 0) == 3
    assert excused_after(ap, 100) == 3, "the repair peer itself is held up"


def test_repair_of_op_under_way_is_caught() -> None:
    world = fresh(TrafficChecker)
    world.run("eu", "SET", "k", "v")
    ask(world, "ap")
    assert excused(world) == 0


def test_what_nobody_sends_when_it_is_requested_may_come_twice() -> None:
    """The region that should send it has no link, is down or paused, or has not reported it."""
    world = fresh(TrafficChecker)
    us, eu, ap = (world.sites[name] for name in ("us", "eu", "ap"))
    write(world, 5)
    world.sleep(SECOND)
    origin = eu.replica.origin
    ap.replica.keyspace.vector[origin] = 8
    eu.replica.keyspace.vector[origin] = 9
    sink = us.links.sinks.pop("eu")
    ask(world, "ap")
    assert excused(world) == 3
    us.links.sinks["eu"] = sink
    sink.vector = {origin: 9}
    for state in (SinkState.RESUMING, SinkState.STREAMING):
        sink.state = state
        ap.replica.keyspace.vector[origin] += 1
        ask(world, "ap")
        assert excused(world) == 3, "eu is sending it"
    sink.state = SinkState.STALLED
    ask(world, "ap")
    assert excused(world) == 5
    sink.state, sink.is_answered = SinkState.AWAITING_HELLO, False
    ap.replica.keyspace.vector[origin] += 1
    ask(world, "ap")
    assert excused(world) == 6
    sink.is_answered = True
    ap.replica.keyspace.vector[origin] += 1
    ask(world, "ap")
    assert excused(world) == 6
    sink.vector = {}
    eu.links.sources["us"].cursor.sent[origin] = 9
    ask(world, "ap")
    assert excused(world) == 6, "it has not reported it, and is sending it"
    eu.paused_until = world.now + 1
    ask(world, "ap")
    assert excused(world) == 7
    checker_of(world).on_region_started(us)
    assert excused(world) == 0
    ask(world, "ap")
    assert excused(world) == 7, "it has lost its memory and needs all of that again"


def merge_of_eu(world: SimWorld) -> None:
    """Merge a snapshot of eu into us while 10 effects of eu are under way."""
    eu, us = world.sites["eu"], world.sites["us"]
    world.run("eu", "MSET", *(f"k{number}" for number in range(20)))
    world.sleep(2 * MS)
    us.replica.merge(list(eu.replica.snapshot()))
    us.state_hash.mark_all_dirty()
    us.finish_turn()


def test_what_is_under_way_when_snapshot_is_merged_may_come_twice() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sleep(SECOND)
    merge_of_eu(world)
    assert excused(world) == 10
    world.sleep(SECOND)
    assert world.sites["us"].replica.effects_duplicate == 10
    assert excused(world) == 0
    world.sites["us"].links.tally("eu", Direction.IN).full += 1
    merge_of_eu(world)
    assert excused(world) == 0, "eu sends nothing else while it sends a snapshot"
    hello = world.sites["eu"].links.sources["us"].hello
    assert hello is not None
    late = attrs.evolve(hello, origin=hello.origin + 1)
    world.sites["eu"].links.sources["us"].hello = late
    merge_of_eu(world)
    assert excused(world) == 0, "what was sent to an earlier life does not come"
    checker_of(world).on_region_started(world.sites["us"])
    world.sites["eu"].links.sources["us"].hello = hello
    world.sites["us"].links.tally("eu", Direction.IN).full = 0
    merge_of_eu(world)
    assert excused(world) == 10


def test_what_is_sent_before_peer_learns_of_merge_may_come_twice() -> None:
    """Seed 589: a peer sends the next batch before the acknowledgement of a merge has arrived."""
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sleep(SECOND)
    eu, us, traffic = world.sites["eu"], world.sites["us"], checker_of(world)
    assert isinstance(traffic, TrafficChecker)
    source = eu.links.sources["us"]
    source.pace.window_bytes = 0
    world.run("eu", "MSET", *(f"k{number}" for number in range(20)))
    world.sleep(2 * MS)
    us.replica.merge(list(eu.replica.snapshot()))
    us.state_hash.mark_all_dirty()
    us.finish_turn()
    assert excused(world) == 0, "nothing is under way"
    source.cursor.sent[eu.replica.origin] += 4
    traffic.on_frame_sent(eu, us.links.sinks["eu"], GapEnd(1))
    assert excused(world) == 0, "only a source sends effects"
    traffic.on_frame_sent(eu, source, GapEnd(1))
    assert excused(world) == 4
    source.progress.acknowledge(us.replica.keyspace.vector)
    source.cursor.sent[eu.replica.origin] += 4
    traffic.on_frame_sent(eu, source, GapEnd(1))
    assert source not in traffic.unaware
    traffic.on_frame_sent(eu, source, GapEnd(1))
    assert excused(world) == 4, "it has been told since"


def test_source_with_full_window_sends_nothing() -> None:
    """Seed 589: acknowledgements queue behind a snapshot, while a repair peer is asked."""
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sleep(SECOND)
    us, eu, ap = (world.sites[name] for name in ("us", "eu", "ap"))
    source, sink = eu.links.sources["us"], us.links.sinks["eu"]
    origin = eu.replica.origin
    ap.replica.keyspace.vector[origin] = sink.vector[origin] = 8
    ask(world, "ap")
    assert excused(world) == 0, "it may send"
    source.acked_bytes = source.sent_bytes - source.pace.window_bytes
    sink.received_bytes -= 1
    ask(world, "ap")
    assert excused(world) == 0, "something is under way"
    sink.received_bytes += 1
    ask(world, "ap")
    assert excused(world) == 3


@pytest.mark.interpreted("replaces a method of a compiled class")
@pytest.mark.parametrize("delayed", [0, 60])
def test_helper_that_is_not_told_to_stop_is_noticed(
    monkeypatch: pytest.MonkeyPatch, delayed: int
) -> None:
    """A planted bug: the request for a gap is never withdrawn. Effects held up do not excuse it."""
    world = fresh(TrafficChecker)
    monkeypatch.setattr(world.sites["us"].links.sinks["ap"], "unfill", ignore)
    make_gap(world)
    write(world, delayed)
    world.open_way("eu", "us")
    write(world, 70)
    with pytest.raises(Violation, match=r"came twice"):
        finish(world)


def test_two_links_that_bring_same_region_are_noticed() -> None:
    """A planted bug: ap also relays to us what eu sends."""
    world = fresh(TrafficChecker)
    links = world.sites["us"].links
    links.peers["ap"] = attrs.evolve(links.peers["ap"], routes=(1, 3))
    world.reset_connections("ap", "us")
    world.sleep(3 * SECOND)
    write(world, 60)
    with pytest.raises(
        Violation, match=r"came twice, with 0 requests .* and 0 more with an excuse"
    ):
        finish(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_request_for_what_is_being_sent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: a gap counts as open although data comes."""
    world = fresh(TrafficChecker)
    us = world.sites["us"]
    monkeypatch.setattr(us.links.repair, "coming_until", never)
    us.links.repair.limits = attrs.evolve(us.links.limits, repair_delay_ns=1)
    world.network.way("eu", "us").bandwidth = 2000
    world.run("eu", "MSET", *(f"k{number}" for number in range(400)))
    world.sleep(10 * SECOND)
    world.network.way("eu", "us").bandwidth = 0
    with pytest.raises(Violation, match=r"came twice, .* and 0 more with an excuse"):
        finish(world)


def test_life_that_is_over_counts() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    repeat(world, FEW + 10)
    world.crash_process("us")
    world.restart_process("us")
    with pytest.raises(Violation, match="came twice"):
        finish(world)


def test_helper_that_does_not_stop_is_caught() -> None:
    world = fresh(TrafficChecker)
    links = world.sites["us"].links
    links.repair.repair_peers[make_origin(1)] = RepairPeer("ap", world.now)
    with pytest.raises(Violation, match="ap still sends us what 1 writes, though eu does"):
        world.check_end()
    del links.sinks["eu"]
    world.checkers[0].on_run_end(world.live_regions())


def test_effect_that_echoes_is_caught() -> None:
    world = fresh(TrafficChecker)
    world.sites["us"].replica.set("s").add("m")
    with pytest.raises(Violation, match=r"us writes to b's', and nobody has asked it to"):
        world.sites["us"].finish_turn()


def test_served_and_expired_are_no_echo() -> None:
    world = fresh(TrafficChecker)
    world.run("us", "BLPOP", "l", "0")
    world.run("eu", "RPUSH", "l", "a")
    world.run("eu", "SET", "k", "v", "PX", "10")
    world.sleep(5 * SECOND)
    finish(world)


def test_small_buffers_are_sent_again_what_did_not_fit() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sites["us"].replica.causal_buffer.limit = 300
    repeat(world, FEW + 10)
    finish(world)


def test_sending_of_what_was_acknowledged_is_caught() -> None:
    world = fresh(TrafficChecker)
    write(world, 10)
    world.sleep(SECOND)
    site = world.sites["eu"]
    traffic = checker_of(world)
    assert isinstance(traffic, TrafficChecker)
    source = site.links.sources["us"]
    traffic.check_place(site, source)
    source.progress.acknowledged[site.replica.origin] = 1000
    with pytest.raises(Violation, match=r"eu is to send 1:\d+ to us, which has acknowledged 1000"):
        write(world, SAMPLE)
