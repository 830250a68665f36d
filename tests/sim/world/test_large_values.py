"""The check of large values passes, and finds operations that fill links."""

from __future__ import annotations

import pytest

from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.schedule.plan import Plan
from sim.world.large_values import check_large_values, write_large_string
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    world = SimWorld(Plan.of(["eu", "us"]))
    world.sleep(2 * SECOND)
    return world


def test_few_values_are_sent(world: SimWorld) -> None:
    write_large_string(world, world.sites["eu"])
    assert 2 <= len(world.run_history.in_order) <= 6


def test_each_value_that_is_sent_is_caught(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.world.large_values.LARGE_BYTES_PER_SECOND", 1)
    with pytest.raises(Violation, match=r"large values: eu makes \d operations of \d+ bytes for"):
        write_large_string(world, world.sites["eu"])


def test_large_strings_are_written_in_some_runs() -> None:
    found: set[bool] = set()
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        world.sleep(2 * SECOND)
        check_large_values(world)
        found.add(any(site.replica.keyspace.seq for site in world.sites.values()))
    assert found == {True, False}


def test_slow_ways_carry_no_large_strings() -> None:
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        world.network.way("eu", "us").bandwidth = 1000
        check_large_values(world)
        assert not any(site.replica.keyspace.seq for site in world.sites.values())
