"""A superfluous deadline stays while a region is away that has not seen all, and not for longer."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.store.garbage import Garbage
from sim.checkers.replicas.expiry import ExpiryChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.leftovers import NO_EXPIRY
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import finish, fresh

NAMES = ("ap", "eu", "us")


def leave(world: SimWorld, *, value: int = 0, lasts: int = 6 * SECOND) -> int:
    """Apply the fault. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "left-deadline", NAMES, lasts, value))
    return injector.fired["left-deadline"]


def deadlines(world: SimWorld, name: str) -> list[int]:
    """Return the deadlines of the key in a region."""
    db = world.sites[name].replica.keyspace
    (key,) = [each for each in db.deadlines.table if each.startswith(b"left:")]
    return [deadline for _, deadline in db.deadline_siblings(key)]


@pytest.mark.parametrize(("value", "count"), [(0, 1), (NO_EXPIRY, 2)])
def test_deadline_stays_until_all_have_seen_it(value: int, count: int) -> None:
    world = fresh()
    assert leave(world, value=value) == 1
    world.sleep(5 * SECOND)
    assert len(deadlines(world, "eu")) == len(deadlines(world, "us")) == count
    assert len(deadlines(world, "ap")) == 1
    assert len(world.sites["ap"].replica.keyspace.held_keys()) == 1
    assert len(world.sites["eu"].replica.keyspace.held_keys()) == (value == NO_EXPIRY)
    world.sleep(6 * SECOND)
    assert not any(site.replica.keyspace.deadlines.table for site in world.sites.values())
    finish(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_deadline_that_is_removed_early_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_orphan(garbage: Garbage, key: bytes, *_: Any) -> bool:
        return key not in garbage.db.data and key in garbage.db.deadlines.table

    monkeypatch.setattr(Garbage, "is_orphan", is_orphan)
    world = fresh(ExpiryChecker)
    leave(world)
    with pytest.raises(Violation, match=r"eu removes the deadline \d+ of b'left:\d+', which ap"):
        world.sleep(5 * SECOND)


def test_region_that_is_down_leaves_nothing() -> None:
    world = fresh()
    world.crash_process("us")
    assert leave(world) == 0
    world.restart_process("us")
    world.sleep(2 * SECOND)
    assert leave(world) == 1
    world.crash_process("us")
    world.sleep(SECOND)
    world.restart_process("us")
    world.sleep(8 * SECOND)
    finish(world)


@pytest.mark.parametrize("lasts", [SECOND // 10, SECOND * 31 // 100])
def test_fault_that_ends_early_cuts_nobody(lasts: int) -> None:
    world = fresh()
    assert leave(world, lasts=lasts) == 1
    world.sleep(3 * SECOND)
    assert all(way.is_open for way in world.network)
    finish(world)
