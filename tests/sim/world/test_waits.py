"""The check of WAIT passes, and finds counts that are too low."""

from __future__ import annotations

import pytest

from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.schedule.plan import Plan
from sim.world.waits import KEY, check_waits, wait_for_regions
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    world = SimWorld(Plan.of(["eu", "us", "ap"]))
    world.sleep(2 * SECOND)
    return world


@pytest.mark.parametrize("too_many", [True, False])
def test_client_waits_for_all_regions(world: SimWorld, too_many: bool) -> None:
    wait_for_regions(world, world.sites["eu"], too_many=too_many)
    assert len(world.sites["eu"].instance.clients) == 1


@pytest.mark.parametrize(
    ("too_many", "text"), [(True, r"WAIT 99 \d+ with \[1\]"), (False, r"WAIT 2 0 with \[\]")]
)
def test_count_that_is_too_low_is_caught(world: SimWorld, too_many: bool, text: str) -> None:
    world.cut("eu", "us")
    world.cut("ap", "us")
    with pytest.raises(Violation, match=f"acknowledged writes: eu answers {text} within .* 2 reg"):
        wait_for_regions(world, world.sites["eu"], too_many=too_many)


def test_writes_of_some_runs_are_waited_for() -> None:
    found: set[bool] = set()
    for seed in range(8):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        world.sleep(2 * SECOND)
        check_waits(world)
        found.add(any(site.replica.keyspace.seq for site in world.sites.values()))
        world.sleep(SECOND)
        assert not any(site.replica.keyspace.held(KEY.encode()) for site in world.sites.values())
    assert found == {True, False}
