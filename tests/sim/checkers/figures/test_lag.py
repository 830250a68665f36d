"""The checker of lag finds a wrong lag."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from replication.protocol.limits import MS, SECOND
from sim.checkers.figures.lag import SAMPLE_MS, LagChecker
from sim.engine.checker import Violation
from sim.nodes.region import Start
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh


@pytest.fixture
def world() -> SimWorld:
    made = fresh(LagChecker)
    inspect(made)
    return made


def inspect(world: SimWorld) -> None:
    """Let the checker look at the links of a region at its next chance."""
    world.sleep(SAMPLE_MS * MS)
    world.sites["eu"].advance_clocks()
    checker_of(world).on_turn_end(world.sites["eu"], ())


def test_effects_under_way_count_as_lag(world: SimWorld) -> None:
    world.close_way("eu", "us")
    world.run("eu", "INCR", "k")
    world.sleep(2 * SECOND)
    world.run("eu", "INCR", "k")
    inspect(world)
    world.open_way("eu", "us")
    world.converge(10 * SECOND)
    world.sleep(SECOND)
    inspect(world)
    assert checker_of(world).looked >= 4


def test_effects_lost_in_crash_are_no_lag(world: SimWorld) -> None:
    """eu uses its origin again. No peer knows that, and eu waits for the data of ap."""
    for peer in ("us", "ap"):
        world.cut("eu", peer)
    world.run("eu", "INCR", "k")
    world.sleep(MS)
    world.crash_process("eu", is_silent=True)
    world.restart_process("eu", start=Start.REUSED)
    world.heal("eu", "us")
    world.sleep(2 * SECOND)
    inspect(world)
    world.sleep(10 * SECOND)
    eu = world.sites["eu"]
    assert eu.replica.keyspace.seq == 0
    assert eu.links.sources["us"].lag_ns(world.now) == 0
    assert world.run_history.latest_effect(eu.replica.origin) == 1
    looked = checker_of(world).looked
    inspect(world)
    assert checker_of(world).looked > looked


def test_region_that_was_paused_is_not_asked(world: SimWorld) -> None:
    looked = checker_of(world).looked
    world.sites["eu"].pause_until(world.now + SECOND)
    inspect(world)
    assert checker_of(world).looked == looked


def report_lag(lag_ns: int) -> Callable[[int], int]:
    """Return a method that always returns this lag."""

    def reported(_now: int) -> int:
        return lag_ns

    return reported


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_lag_that_is_not_so_is_noticed(world: SimWorld) -> None:
    source = world.sites["eu"].links.sources["us"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "lag_ns", report_lag(900 * MS))
        with pytest.raises(Violation, match="eu says that us is 900 ms behind, and it is 0 ms"):
            inspect(world)
        patch.setattr(source, "lag_ns", report_lag(0))
        world.close_way("eu", "us")
        world.close_way("us", "eu")
        world.run("eu", "INCR", "k")
        world.sleep(3 * SECOND - SAMPLE_MS * MS)
        with pytest.raises(Violation, match="eu says that us is 0 ms behind, and it is 3000 ms"):
            inspect(world)


def count(effects: int) -> Callable[[], int]:
    """Return a method that always returns this number of effects."""

    def counted() -> int:
        return effects

    return counted


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_number_of_effects_that_is_not_so_is_noticed(world: SimWorld) -> None:
    source = world.sites["eu"].links.sources["us"]
    world.run("ap", "SET", "k", "1")
    world.converge(10 * SECOND)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "behind", count(1))
        with pytest.raises(Violation, match="lacks 1 effects, and of those that it sends there on"):
            inspect(world)
        world.close_way("eu", "us")
        world.run("eu", "INCR", "k")
        world.run("eu", "INCR", "k")
        look_again = "eu says that us lacks 1 effects, and it lacks 2 of eu alone"
        with pytest.raises(Violation, match=look_again):
            inspect(world)
        world.crash_process("us")
        inspect(world)


def test_vector_of_another_incarnation_is_not_compared(world: SimWorld) -> None:
    world.run("eu", "INCR", "k")
    assert world.converge(10 * SECOND)
    world.sleep(SECOND)
    world.close_way("eu", "us")
    world.close_way("us", "eu")
    world.crash_process("us", is_silent=True)
    world.restart_process("us")
    assert world.sites["eu"].links.sources["us"].behind() == 0
    assert world.sites["us"].replica.keyspace.vector == {}
    inspect(world)
