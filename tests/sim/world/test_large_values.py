"""The check of large values passes, and finds operations that fill links."""

from __future__ import annotations

import pytest

from replication.protocol.limits import Limits
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Plan, Tuning
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


def test_writes_that_are_on_their_way_arrive_first() -> None:
    """An operation that arrives seals the outbox, with a value that would have been replaced."""
    for seed in range(4):
        world = SimWorld(Plan.of(["eu", "us"], delay_ms=5), seed)
        world.sleep(2 * SECOND)
        for number in range(4):
            world.run("eu", "SADD", "k", f"x{number}")
            world.run("us", "SADD", "k", f"y{number}")
            world.sleep(MS)
        check_large_values(world)


def test_string_is_written_between_timers_of_links() -> None:
    """A timer seals the outbox, too. The heartbeats to both peers are due at the same time."""
    for seed in range(4):
        world = SimWorld(Plan.of(["eu", "us", "ap"], delay_ms=2), seed)
        world.sleep(2 * SECOND)
        site = world.sites["eu"]
        world.sleep_until(site.links.next_deadline - 2 * MS)
        check_large_values(world)


def test_region_whose_timers_are_too_frequent_is_not_checked() -> None:
    tuning = Tuning(limits=Limits(heartbeat_ns=5 * MS))
    for seed in range(4):
        world = SimWorld(Plan.of(["eu", "us"], delay_ms=2, tuning=tuning), seed)
        world.sleep(2 * SECOND)
        check_large_values(world)
        assert not world.probes


@pytest.mark.interpreted("replaces a function of a compiled module")
def test_regions_that_do_not_converge_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_time(_: SimWorld) -> int:
        return 0

    monkeypatch.setattr("sim.world.large_values.arrival_limit_ns", no_time)
    for seed in range(4):
        world = SimWorld(Plan.of(["eu", "us"], delay_ms=2), seed)
        world.sleep(2 * SECOND)
        world.run("eu", "SADD", "k", "x")
        check_large_values(world)
        assert not world.probes


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
