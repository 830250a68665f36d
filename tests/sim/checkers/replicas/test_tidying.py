"""Expired keys are deleted soon, and the checker finds one that is not."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Vector
from crdt.store.garbage import Garbage
from sim.checkers.replicas.tidying import TidyingChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(TidyingChecker)


def expire_many(world: SimWorld) -> None:
    world.run_all("us", *(("SET", f"k{i}", "v", "PX", "300") for i in range(20)))
    world.sleep(6 * SECOND)


def test_expired_keys_are_deleted(world: SimWorld) -> None:
    expire_many(world)
    assert checker_of(world).looked > 0
    assert all(site.replica.keyspace.size() == 0 for site in world.sites.values())


def test_keys_that_next_collection_forgets_are_noticed(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = Garbage.collect

    def collect_few(
        garbage: Garbage, stable: Vector, clock: int, leads: bool, _keys_max: int
    ) -> int:
        found = collect(garbage, stable, clock, leads, 3)
        garbage.is_behind = False
        return found

    monkeypatch.setattr(Garbage, "collect", collect_few)
    with pytest.raises(Violation, match=r"eu keeps b'k\d+', which expired in all regions \d+ ms"):
        expire_many(world)


def test_region_that_does_not_collect_is_not_judged(world: SimWorld) -> None:
    world.sites["eu"].links.collects = False
    expire_many(world)
    assert checker_of(world).looked == 0
    assert world.sites["eu"].replica.keyspace.size() == 20


def test_restart_and_pause_begin_anew(world: SimWorld) -> None:
    world.sites["eu"].links.collects = False
    expire_many(world)
    world.sites["eu"].links.collects = True
    world.sites["eu"].pause_until(world.now + SECOND)
    world.sleep(4 * SECOND)
    assert world.sites["us"].replica.keyspace.size() == 0
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(100 * MS)
    expire_many(world)
