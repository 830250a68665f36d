"""Effects that come twice, helpers that never stop, and effects that echo are caught."""

from __future__ import annotations

import pytest

from crdt.dots import make_origin
from replication.repair import Helper
from sim.checkers.checker import Violation
from sim.checkers.traffic import FEW, PER_REQUEST, Traffic
from sim.engine import SECOND
from sim.world import World
from tests.sim.planted import finish, fresh


def write(world: World, count: int) -> None:
    for number in range(count):
        world.run("eu", "SET", f"k{number}", "v")
        world.sleep(SECOND // 20)


def test_quiet_world_passes() -> None:
    world = fresh(Traffic)
    write(world, 10)
    finish(world)
    assert world.checkers[0].looked == 20


def test_many_that_come_twice_are_caught() -> None:
    world = fresh(Traffic)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + 10
    with pytest.raises(Violation, match=r"50 of 60 effects came twice, with 0 requests"):
        finish(world)


def test_each_request_may_bring_some() -> None:
    world = fresh(Traffic)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + PER_REQUEST
    world.sites["us"].links.repair.requests = 1
    finish(world)


def test_life_that_is_over_counts() -> None:
    world = fresh(Traffic)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + 10
    world.crash("us")
    world.restart("us")
    with pytest.raises(Violation, match="came twice"):
        finish(world)


def test_helper_that_does_not_stop_is_caught() -> None:
    world = fresh(Traffic)
    links = world.sites["us"].links
    links.repair.helpers[make_origin(1)] = Helper("ap", world.now)
    with pytest.raises(Violation, match="ap still sends us what 1 writes, though eu does"):
        world.check_end()
    del links.sinks["eu"]
    world.checkers[0].ended(world.live())


def test_effect_that_echoes_is_caught() -> None:
    world = fresh(Traffic)
    world.sites["us"].replica.set("s").add("m")
    with pytest.raises(Violation, match=r"us writes to b's', and nobody has asked it to"):
        world.sites["us"].finish_turn()


def test_served_and_expired_are_no_echo() -> None:
    world = fresh(Traffic)
    world.run("us", "BLPOP", "l", "0")
    world.run("eu", "RPUSH", "l", "a")
    world.run("eu", "SET", "k", "v", "PX", "10")
    world.sleep(5 * SECOND)
    finish(world)


def test_small_buffers_are_sent_again_what_did_not_fit() -> None:
    world = fresh(Traffic)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + 10
    world.sites["us"].replica.gate.limit = 300
    finish(world)
