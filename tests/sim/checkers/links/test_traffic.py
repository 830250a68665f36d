"""Effects that come twice, helpers that never stop, and effects that echo are caught."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from replication.mesh.repair import RepairPeer
from replication.protocol.events import GapFound
from sim.checkers.links.traffic import FEW, SAMPLE, TrafficChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


def write(world: SimWorld, count: int) -> None:
    for number in range(count):
        world.run("eu", "SET", f"k{number}", "v")
        world.sleep(SECOND // 20)


def test_quiet_world_passes() -> None:
    world = fresh(TrafficChecker)
    write(world, 10)
    finish(world)
    assert world.checkers[0].looked == 20


def test_many_that_come_twice_are_caught() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + 10
    with pytest.raises(Violation, match=r"50 of 60 effects came twice, with 0 requests"):
        finish(world)


def test_op_delayed_during_repair_may_come_twice() -> None:
    world = fresh(TrafficChecker)
    traffic = checker_of(world)
    assert isinstance(traffic, TrafficChecker)
    world.close_way("eu", "us")
    world.run("eu", "MSET", *(f"k{number}" for number in range(20)))
    eu, us = world.sites["eu"].replica.origin, world.sites["us"]
    world.sleep(SECOND)
    assert us.links.repair.requests >= 1
    assert us.replica.keyspace.vector[eu] == 10
    assert traffic.held_up == 10, "however often somebody was asked"
    world.open_way("eu", "us")
    world.sleep(SECOND)
    assert us.replica.effects_duplicate == 10
    us.replica.effects_duplicate += FEW + 5
    with pytest.raises(Violation, match=r"55 of 75 effects came twice, .* 10 effects held up"):
        finish(world)


def test_repair_of_op_under_way_is_caught() -> None:
    world = fresh(TrafficChecker)
    traffic = checker_of(world)
    assert isinstance(traffic, TrafficChecker)
    world.run("eu", "SET", "k", "v")
    world.sites["us"].handle_events([GapFound("ap", world.sites["eu"].replica.origin, "ap")])
    assert traffic.held_up == 0


def test_life_that_is_over_counts() -> None:
    world = fresh(TrafficChecker)
    write(world, 5)
    world.sites["us"].replica.effects_duplicate += FEW + 10
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
    world.sites["us"].replica.effects_duplicate += FEW + 10
    world.sites["us"].replica.causal_buffer.limit = 300
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
