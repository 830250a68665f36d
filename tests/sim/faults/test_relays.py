"""A region gets writes over a third one: first by a snapshot, and then by the operations alone."""

from __future__ import annotations

import pytest

from replication.mesh.repair import Repair
from sim.checkers.links.gap_repair import GapRepairChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.relays import ONE_ONLY, SILENTLY
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import finish, fresh


def relay(world: SimWorld, *regions: str, value: int = 0, lasts: int = 4 * SECOND) -> int:
    """Apply the fault. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "relay", regions, lasts, value))
    return injector.fired["relay"]


@pytest.mark.parametrize("value", [0, SILENTLY, ONE_ONLY, SILENTLY + ONE_ONLY])
def test_reader_gets_snapshot_and_then_operations(value: int) -> None:
    world = fresh(names=("eu", "us", "ap"))
    eu = world.sites["eu"]
    assert relay(world, "eu", "us", "ap", value=value) == 1
    world.sleep(3 * SECOND)
    assert eu.replica.merges == 1
    assert eu.replica.keyspace.vector == world.sites["us"].replica.keyspace.vector
    assert eu.replica.statistics().effects_applied > 0
    world.sleep(3 * SECOND)
    history = world.sites["ap"].replica.history
    assert history.limit == world.sites["ap"].tuning.history_bytes
    finish(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_second_snapshot_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep_refusals(_repair: Repair, _peer: str = "") -> None:
        pass

    monkeypatch.setattr(Repair, "forget_refusals", keep_refusals)
    world = fresh(GapRepairChecker)
    relay(world, "eu", "us", "ap")
    with pytest.raises(Violation, match="eu requests a snapshot of ap, and no peer has refused"):
        world.sleep(4 * SECOND)


def test_relay_needs_three_regions_that_write() -> None:
    world = fresh(GapRepairChecker)
    world.crash_process("ap")
    assert relay(world, "eu", "us", "ap") == 0
    assert relay(world, "eu", "us") == 0


def test_relay_that_ends_early_leaves_nothing_behind() -> None:
    world = fresh()
    assert relay(world, "eu", "us", "ap", lasts=SECOND // 10) == 1
    world.sleep(SECOND)
    finish(world)


def test_writer_that_dies_writes_nothing() -> None:
    world = fresh()
    assert relay(world, "eu", "us", "ap") == 1
    world.crash_process("us")
    world.sleep(5 * SECOND)
    world.restart_process("us")
    world.sleep(5 * SECOND)
    finish(world)
