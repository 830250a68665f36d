"""Keys expire in time although another time to live was renewed very often."""

from __future__ import annotations

import attrs
import pytest

from crdt.types.components.deadlines import HEAP_SLACK
from sim.checkers.replicas.tidying import TidyingChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.renewals import LONG_KEYS, SHORT_KEYS, keys_max
from sim.schedule.plan import Plan, Tuning
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import fresh


def renew(world: SimWorld) -> int:
    """Apply the fault in us. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "renewals", ("us",)))
    return injector.fired["renewals"]


def write_for_ten_seconds(world: SimWorld) -> None:
    """Let eu write, so that the checker looks at it."""
    for number in range(20):
        world.run("eu", "SADD", "s", str(number))
        world.sleep(SECOND // 2)


def test_short_times_to_live_end_in_time() -> None:
    world = fresh(TidyingChecker)
    assert keys_max(world) == LONG_KEYS + SHORT_KEYS
    assert renew(world) == 1
    assert world.sites["us"].replica.keyspace.seq > HEAP_SLACK
    world.sleep(5 * SECOND)
    assert len(world.sites["eu"].replica.keyspace.held_keys()) == LONG_KEYS


def test_key_that_is_not_found_is_caught() -> None:
    world = fresh(TidyingChecker)
    deadlines = world.sites["eu"].replica.keyspace.deadlines
    renew(world)
    world.sleep(SECOND)
    deadlines.heaps[-1].clear()
    kept = rf"eu keeps b'renewed:\d+\.short\d+', which expired .* as one of {SHORT_KEYS} keys"
    with pytest.raises(Violation, match=kept):
        write_for_ten_seconds(world)


def test_region_with_small_limits_is_left_alone() -> None:
    world = SimWorld(Plan.of(("eu", "us"), delay_ms=20, tuning=Tuning(op_bytes=60)))
    world.sleep(SECOND)
    assert renew(world) == 0
    limits = attrs.evolve(Tuning().limits, batch_bytes_max=40)
    world = SimWorld(Plan.of(("eu", "us"), delay_ms=20, tuning=Tuning(limits)))
    world.sleep(SECOND)
    assert renew(world) == 0
    world.crash_process("us")
    assert renew(world) == 0
