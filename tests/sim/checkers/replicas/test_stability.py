"""The checker of stability finds a region that counts a false report."""

from __future__ import annotations

import pytest

from sim.checkers.replicas.stability import SAMPLE, StabilityChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.follower import SimFollower
from sim.nodes.region import Start
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import caught, fresh


def lie(world: SimWorld) -> None:
    """us receives a false report: that eu has all that us has."""
    world.close_way("ap", "eu")
    world.close_way("us", "eu")
    world.run("ap", "SET", "k", "v")
    world.sleep(SECOND)
    us = world.sites["us"].replica
    us.record_report(1, us.vector)
    us.record_report(3, us.vector)


def turn(world: SimWorld) -> None:
    """Give the checker enough to look at."""
    for _ in range(SAMPLE):
        world.run("us", "SET", "l", "v")


def us_believes_a_lie(world: SimWorld) -> None:
    lie(world)
    turn(world)


def test_effect_lacking_somewhere_is_not_stable() -> None:
    assert caught(us_believes_a_lie) == ["stability"]
    world = fresh(StabilityChecker)
    with pytest.raises(
        Violation, match="us takes 3:1 for stable, but eu may write and has nothing"
    ):
        us_believes_a_lie(world)


def test_late_effect_below_stability_is_caught() -> None:
    world = fresh(StabilityChecker)
    world.close_way("eu", "us")
    lie(world)
    world.run("eu", "SET", "m", "v")
    with pytest.raises(Violation, match=r"3:1 for stable, but 1:1\.\.1 is still to come"):
        turn(world)


def test_waiting_op_may_arrive_after_stability() -> None:
    world = fresh(StabilityChecker)
    world.cut("eu", "us")
    world.cut("us", "ap")
    world.run("eu", "SET", "n", "v")
    world.run("eu", "SET", "n", "w")
    ap, eu = world.sites["ap"].replica, world.sites["eu"].replica
    _, second = eu.since({})
    ap.causal_buffer.queues.clear()
    assert ap.causal_buffer.hold(second, {**ap.vector, second.origin: 1})
    us = world.sites["us"].replica
    world.run("us", "SET", "o", "v")
    us.record_report(1, us.vector)
    us.record_report(3, us.vector)
    with pytest.raises(Violation, match=r"us takes 2:1 for stable, but 1:1\.\.1 is still to come"):
        turn(world)


def test_unaware_region_made_no_promise() -> None:
    world = fresh(StabilityChecker)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    world.crash_process("ap")
    turn(world)
    world.close_way("eu", "ap")
    world.close_way("us", "ap")
    world.restart_process("ap", start=Start.UNAWARE)
    world.run("ap", "SET", "k", "w")
    turn(world)
    assert world.checkers[0].looked


def test_region_that_found_lost_data_made_no_promise() -> None:
    world = fresh(StabilityChecker)
    checker = world.checkers[0]
    assert isinstance(checker, StabilityChecker)
    world.crash_process("ap")
    world.crash_process("us")
    world.restart_process("ap")
    assert checker.careless == {"ap"}
    world.restart_process("us")
    assert checker.careless == {"ap", "us"}
    world.sleep(10 * SECOND)
    world.crash_process("eu")
    world.restart_process("eu")
    assert checker.careless == {"ap", "us", "eu"}
    world.sleep(10 * SECOND)
    world.run("ap", "SET", "k", "v")
    assert checker.exempt == {world.sites["ap"].replica.origin}


def test_region_without_its_peer_made_no_promise() -> None:
    world = fresh(StabilityChecker)
    checker = world.checkers[0]
    assert isinstance(checker, StabilityChecker)
    world.crash_process("ap")
    world.restart_process("ap")
    assert checker.careless == set()
    world.crash_process("us")
    assert checker.careless == {"ap"}


def test_reading_region_need_not_have_it() -> None:
    world = fresh(StabilityChecker)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    world.crash_process("ap")
    world.close_way("eu", "ap")
    world.close_way("us", "ap")
    world.restart_process("ap")
    turn(world)
    assert world.checkers[0].looked


def follow_eu() -> tuple[SimWorld, SimFollower]:
    """Return a follower of eu that lacks a write of us, which had not seen what eu has written."""
    world = fresh(StabilityChecker, copies=(Copy("f", 255, ("eu",)),))
    world.close_way("eu", "us")
    world.close_way("ap", "us")
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    world.close_way("eu", "f")
    world.run("us", "SET", "l", "v")
    world.sleep(SECOND)
    return world, world.copies["f"]


def turn_follower(world: SimWorld, copy: SimFollower) -> None:
    for _ in range(SAMPLE):
        world.checkers[0].on_follower_turn(copy, ())


def test_follower_that_takes_too_much_for_stable_is_caught() -> None:
    world, copy = follow_eu()
    turn_follower(world, copy)
    copy.replica.stability.replace_report(0, copy.replica.keyspace.vector)
    with pytest.raises(Violation, match=r"f takes 1:1 for stable, but 2:1\.\.1 is still to come"):
        turn_follower(world, copy)


def test_follower_is_judged_while_a_region_is_careless() -> None:
    world, copy = follow_eu()
    checker = world.checkers[0]
    assert isinstance(checker, StabilityChecker)
    world.crash_process("us")
    world.crash_process("ap")
    world.restart_process("ap")
    assert checker.careless == {"ap"}
    turn_follower(world, copy)
    copy.replica.stability.replace_report(0, copy.replica.keyspace.vector)
    with pytest.raises(Violation, match=r"f takes 1:1 for stable, but 2:1\.\.1 is still to come"):
        turn_follower(world, copy)
    world.crash_process("eu")
    turn_follower(world, copy)
