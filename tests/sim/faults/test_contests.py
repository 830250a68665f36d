"""All regions show what the lowest one has created, although it was away."""

from __future__ import annotations

import pytest

from crdt.types.components.contested import Contested
from sim.checkers.replicas.hidden import HiddenChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import finish, fresh

NAMES = ("us", "eu", "ap")


def contest(world: SimWorld, *, lasts: int = SECOND) -> int:
    """Apply the fault. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "contest", NAMES, lasts))
    return injector.fired["contest"]


def test_lowest_region_decides_on_type() -> None:
    world = fresh()
    assert contest(world) == 1
    (key,) = world.sites["us"].replica.keyspace.held_keys()
    world.sleep(SECOND // 2)
    assert world.run("ap", "TYPE", key.decode()) == "set"
    world.sleep(3 * SECOND)
    assert [world.run(name, "TYPE", key.decode()) for name in NAMES] == ["list"] * 3
    finish(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_type_that_stays_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Contested.part

    def keep_front(held: Contested, code: int, make: type) -> object:
        front = held.front
        found = part(held, code, make)
        held.front = front
        return found

    monkeypatch.setattr(Contested, "part", keep_front)
    world = fresh(HiddenChecker)
    contest(world)
    world.sleep(3 * SECOND)
    with pytest.raises(Violation, match=r"shows type \d under b'contest:\d+', and the smallest"):
        world.inspect_all()


def test_region_that_is_down_does_not_read() -> None:
    world = fresh()
    world.crash_process("us")
    assert contest(world) == 0
    world.restart_process("us")
    world.sleep(2 * SECOND)
    assert contest(world) == 1
    world.crash_process("us")
    world.sleep(2 * SECOND)
    world.restart_process("us")
    world.sleep(2 * SECOND)
    finish(world)
