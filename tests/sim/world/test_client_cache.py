"""The check of client-side caches passes, and finds changes that clients do not learn of."""

from __future__ import annotations

import pytest

from crdb.engine.tracking.tracking import Tracking
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.plan import Plan
from sim.world.client_cache import PROMISE, CacheProbe, check_client_cache
from sim.world.world import SimWorld


def world_of(seed: int) -> SimWorld:
    """Return a world of two regions."""
    world = SimWorld(Plan.of(["eu", "us"]), seed)
    world.sleep(2 * SECOND)
    return world


@pytest.mark.parametrize("seed", range(4))
def test_caches_are_right_when_all_is_quiet(seed: int) -> None:
    world = world_of(seed)
    probe = CacheProbe(world, SeededRandom(seed, "client cache"))
    probe.run()
    world.check_end()
    assert all(site.instance.tracking.sessions == {} for site in world.sites.values())


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_change_that_nobody_learns_of_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(self: Tracking, key: bytes) -> bool:
        self.tracked.pop(key)
        return False

    monkeypatch.setattr(Tracking, "note_change", forget)
    probe = CacheProbe(world_of(1), SeededRandom(1, "client cache"))
    with pytest.raises(Violation, match=r"client cache: a client of .* has cached"):
        probe.run()


def test_clients_cache_in_some_runs() -> None:
    found: set[bool] = set()
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        check_client_cache(world)
        found.add(PROMISE in world.probes)
    assert found == {True, False}
