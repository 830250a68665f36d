"""A region waits for a peer that has dialled it and that it cannot reach yet."""

from __future__ import annotations

import pytest

from replication.mesh.recovery import Recovery
from sim.checkers.replicas.recovery import RecoveryChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import finish, fresh


def come_back(world: SimWorld, *regions: str, lasts: int = 6 * SECOND) -> int:
    """Apply the fault. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "slow-return", regions, lasts))
    return injector.fired["slow-return"]


def test_region_waits_for_peer_that_has_dialled() -> None:
    world = fresh()
    assert come_back(world, "eu", "us", "ap") == 1
    world.sleep(SECOND * 12 // 10)
    eu = world.sites["eu"]
    assert "us" in eu.links.sources
    assert not eu.has_caught_up
    assert eu.links.awaited().keys() == {"us"}
    world.sleep(6 * SECOND)
    assert eu.has_caught_up
    assert world.network.way("eu", "us").slowness == 100
    finish(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_recovery_that_does_not_wait_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def expect_nobody(recovery: Recovery, peer: str) -> bool:
        return peer in recovery.missed

    monkeypatch.setattr(Recovery, "expect_peer", expect_nobody)
    world = fresh(RecoveryChecker)
    come_back(world, "eu", "us", "ap")
    with pytest.raises(Violation, match=r"eu ends its recovery .*, although us may still answer"):
        world.sleep(4 * SECOND)


@pytest.mark.parametrize("lasts", [SECOND // 10, SECOND * 6 // 10])
def test_fault_that_ends_early_leaves_nothing_behind(lasts: int) -> None:
    world = fresh()
    assert come_back(world, "eu", "us", "ap", lasts=lasts) == 1
    world.sleep(3 * SECOND)
    assert all(site.has_caught_up for site in world.sites.values())
    assert world.network.way("eu", "us").slowness == 100
    finish(world)


def test_peer_and_region_may_be_up_or_down_meanwhile() -> None:
    world = fresh()
    assert come_back(world, "eu", "us", "ap") == 1
    world.restart_process("us")
    world.crash_process("eu")
    world.sleep(8 * SECOND)
    assert not world.sites["eu"].is_up
    world.restart_process("eu")
    world.sleep(2 * SECOND)
    assert come_back(world, "eu", "us") == 0
    world.crash_process("us")
    assert come_back(world, "eu", "us", "ap") == 0
    world.restart_process("us")
    world.sleep(2 * SECOND)
    finish(world)
