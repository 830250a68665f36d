"""The checker of gap repair finds missing, late and superfluous requests."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Origin
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.frames import GapRefused, GapRequest
from sim.checkers.links.gap_repair import PROMPT_NS, GapRepairChecker, OpenGap
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh

FOUR = ("eu", "us", "ap", "sa")


@pytest.fixture
def world() -> SimWorld:
    return fresh(GapRepairChecker, names=FOUR)


def make_gap(world: SimWorld) -> tuple[SimRegion, Origin]:
    """Hold back what eu writes on its way to us. Return us and the origin."""
    world.close_way("eu", "us")
    world.run("eu", "SET", "k", "v")
    return world.sites["us"], world.sites["eu"].replica.origin


def ask_nobody(*_: object, **_more: object) -> tuple[list[object], str]:
    return [], ""


def test_repaired_gap_passes(world: SimWorld) -> None:
    us, _ = make_gap(world)
    world.sleep(SECOND)
    assert us.links.repair.requests == 1
    world.open_way("eu", "us")
    finish(world)
    assert checker_of(world).looked > 50


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_gap_without_request_is_caught(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    us, _ = make_gap(world)
    monkeypatch.setattr(us.links.repair, "check_gaps", ask_nobody)
    with pytest.raises(
        Violation, match=r"us has asked nobody for \d+.* ms for what 1 wrote after 0"
    ):
        world.sleep(3 * SECOND)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_paused_region_is_not_checked(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    us, _ = make_gap(world)
    monkeypatch.setattr(us.links.repair, "check_gaps", ask_nobody)
    for _ in range(30):
        us.pause_until(world.now + MS)
        world.sleep(100 * MS)


def test_next_peer_is_asked_after_refusal(world: SimWorld) -> None:
    for name in ("ap", "sa"):
        world.close_way("eu", name)
        world.close_way(name, "eu")
    us, origin = make_gap(world)
    us.pause_until(world.now + MS)
    world.sleep(2 * MS)
    for name in ("ap", "sa"):
        world.open_way("eu", name)
        world.open_way(name, "eu")
    world.sleep(3 * SECOND)
    assert us.replica.keyspace.vector[origin] == 1


def test_second_request_is_caught(world: SimWorld) -> None:
    us, origin = make_gap(world)
    world.wait_for(lambda: us.links.repair.requests == 1, SECOND)
    helper = us.links.repair.repair_peers[origin].peer
    us.links.sinks[helper].fill(origin, 0, world.now)
    with pytest.raises(Violation, match=f"us asks {helper} twice for what 1 wrote after 0"):
        us.finish_turn()


def test_second_helper_is_caught(world: SimWorld) -> None:
    us, origin = make_gap(world)
    for name in ("ap", "sa"):
        us.links.sinks[name].fill(origin, 0, world.now)
    with pytest.raises(Violation, match=r"us has asked .* and .* for what 1 wrote"):
        us.finish_turn()


def ask(world: SimWorld, us: SimRegion, origin: Origin) -> None:
    us.links.sinks["ap"].fill(origin, 0, world.now)
    us.finish_turn()


def reply_refused(world: SimWorld, origin: Origin) -> None:
    world.sites["ap"].links.sources["us"].reply(GapRefused(origin))
    world.sites["ap"].finish_turn()
    world.sleep(100 * MS)


def test_request_after_refusal_is_caught(world: SimWorld) -> None:
    us, origin = make_gap(world)
    ask(world, us, origin)
    reply_refused(world, origin)
    us.links.sinks["ap"].fill(origin, 0, world.now)
    with pytest.raises(Violation, match="us asks ap for what 1 wrote, which that has refused"):
        us.finish_turn()


def test_merged_snapshot_voids_refusals(world: SimWorld) -> None:
    us, origin = make_gap(world)
    ask(world, us, origin)
    reply_refused(world, origin)
    us.replica.merge(us.take_snapshot())
    ask(world, us, origin)


def test_refusal_of_withdrawn_request_is_ignored(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    sink = us.links.sinks["ap"]
    checker.record_refusal(us, sink, origin, world.now)
    assert checker.find_link(us, sink).refused == set()


def test_gap_of_other_region_stays_as_it_is(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    gap = checker.gaps["ap", origin] = OpenGap(0, world.now, [])
    since = gap.open_since
    world.sites["us"].links.sinks["eu"].state = SinkState.WAITING
    checker.check_gaps(us, world.now + SECOND)
    assert gap.open_since == since


def test_region_that_asks_late_after_refusal_is_caught(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    now = world.now + SECOND
    gap = OpenGap(0, now, [], now, is_refused=True)
    checker.check_delay(us, origin, gap, now + PROMPT_NS)
    with pytest.raises(Violation, match="wrote after 0, though a peer has refused"):
        checker.check_delay(us, origin, gap, now + PROMPT_NS + 1)


def test_paused_region_may_ask_late(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    sink = us.links.sinks["ap"]
    gap = checker.gaps["us", origin] = OpenGap(0, world.now, [sink])
    us.pause_until(world.now + MS)
    world.sleep(MS)
    assert us.was_paused
    checker.check_request(us, sink, GapRequest(origin, 0), world.now + 100 * SECOND)
    assert gap.able == []


def test_needless_snapshot_is_caught(world: SimWorld) -> None:
    us, _ = make_gap(world)
    us.links.sinks["ap"].load()
    with pytest.raises(Violation, match="us requests a snapshot of ap, and no peer has refused"):
        us.finish_turn()


def test_snapshot_for_known_gap_without_refusal_is_caught(world: SimWorld) -> None:
    us, origin = make_gap(world)
    ask(world, us, origin)
    us.links.sinks["ap"].vector = {origin: 1}
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    with pytest.raises(Violation, match="us requests a snapshot of ap, and no peer has refused"):
        checker.check_snapshot_request(us, us.links.sinks["ap"])


def test_snapshot_after_truncation_passes(world: SimWorld) -> None:
    world.cut("eu", "us")
    world.run("eu", "SET", "k", "v")
    for name in ("eu", "ap", "sa"):
        history = world.sites[name].replica.history
        world.wait_for(lambda kept=history: kept.stop > 0, SECOND)
        while history.stop > history.start:
            history.drop_oldest()
    world.heal("eu", "us")
    finish(world)


def test_gap_grows_old_while_snapshot_is_awaited(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    world.sleep(300 * MS)
    since = checker.gaps["us", origin].since
    sink = us.links.sinks["eu"]
    sink.state, before = SinkState.WAITING, sink.state
    checker.check_gaps(us, world.now)
    sink.state = before
    checker.check_gaps(us, world.now)
    gap = checker.gaps["us", origin]
    assert gap.since == since
    assert gap.open_since == world.now


def test_nobody_needs_to_ask_after_refusal_while_snapshot_is_awaited(world: SimWorld) -> None:
    us, origin = make_gap(world)
    checker = checker_of(world)
    assert isinstance(checker, GapRepairChecker)
    world.sleep(300 * MS)
    sink = us.links.sinks["eu"]
    checker.find_link(us, us.links.sinks["ap"]).asked[origin] = 0
    sink.state = SinkState.WAITING
    checker.record_refusal(us, us.links.sinks["ap"], origin, world.now)
    assert checker.gaps["us", origin].able == []
