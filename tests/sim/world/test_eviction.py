"""The check of eviction passes, and finds regions that evict too little or too much."""

from __future__ import annotations

import pytest

from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.plan import Plan
from sim.world.eviction import PROMISE, EvictionProbe, check_eviction, size_of
from sim.world.world import SimWorld


def world_of(seed: int) -> SimWorld:
    """Return a world of three regions."""
    world = SimWorld(Plan.of(["eu", "us", "ap"]), seed)
    world.sleep(2 * SECOND)
    return world


@pytest.mark.rule("EVI-4")
@pytest.mark.parametrize("seed", range(4))
def test_regions_that_evict_at_once_converge(seed: int) -> None:
    world = world_of(seed)
    probe = EvictionProbe(world, SeededRandom(seed, "eviction"))
    probe.run()
    assert 8 <= size_of(world.sites["eu"]) <= 40
    assert sum(site.instance.eviction.evicted for site in world.sites.values()) >= 32
    world.check_end()


def test_too_many_keys_are_caught() -> None:
    probe = EvictionProbe(world_of(1), SeededRandom(1, "eviction"))
    probe.run()
    probe.room = 1
    with pytest.raises(Violation, match=r"eviction: \d+ keys are left where 1 fit"):
        probe.check()


def test_too_few_keys_are_caught() -> None:
    probe = EvictionProbe(world_of(1), SeededRandom(1, "eviction"))
    probe.run()
    probe.room = 1000
    with pytest.raises(Violation, match="too few"):
        probe.check()


def test_different_keys_are_caught() -> None:
    world = world_of(1)
    probe = EvictionProbe(world, SeededRandom(1, "eviction"))
    world.cut("eu", "us")
    world.cut("eu", "ap")
    world.run("eu", "SET", "k", "v")
    with pytest.raises(Violation, match="eu and us differ in"):
        probe.check()


def test_keys_are_evicted_in_some_runs() -> None:
    found: set[bool] = set()
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        check_eviction(world)
        found.add(PROMISE in world.probes)
    assert found == {True, False}
