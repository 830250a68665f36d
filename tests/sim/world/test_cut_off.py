"""The check of one direction finds a cut that holds too little or too much."""

from __future__ import annotations

import pytest

from sim.checkers.links.cutting import CutChecker
from sim.engine.checker import Checker, Violation
from sim.nodes.region import SimRegion
from sim.schedule.plan import Plan
from sim.world import cut_off
from sim.world.cut_off import check_cut_off, check_region, check_states
from sim.world.world import SimWorld
from tests.sim.planted import fresh


@pytest.mark.parametrize("topology", ["mesh", "line", "star"])
def test_healthy_world_passes(topology: str) -> None:
    world = SimWorld(Plan.of(("eu", "us", "ap"), topology=topology, delay_ms=20))
    assert world.converge(10**10)
    world.sleep(2 * 10**9)
    for name in world.sites:
        check_region(world, name)
        assert world.run(name, "SCARD", cut_off.KEY) == 3


def test_some_runs_check_it() -> None:
    plan = Plan.of(("eu", "us"), delay_ms=20)
    worlds = [SimWorld(plan, seed, checkers=(CutChecker,)) for seed in range(8)]
    for world in worlds:
        assert world.converge(10**10)
        world.sleep(2 * 10**9)
        check_cut_off(world)
    assert 0 < sum(world.checkers[0].looked > 0 for world in worlds) < len(worlds)


def do_nothing(_source: str, _sink: str) -> None:
    """Neither cut nor heal."""


@pytest.mark.interpreted("gives a world another method")
def test_cut_without_effect_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(Checker)
    monkeypatch.setattr(world, "cut_link", do_nothing)
    with pytest.raises(Violation, match="all links from eu are cut, and what it writes arrives"):
        check_region(world, "eu")


@pytest.mark.interpreted("gives a world another method")
def test_cut_of_wrong_direction_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(Checker)
    cut = world.cut_link

    def cut_other(source: str, sink: str) -> None:
        cut(sink, source)

    monkeypatch.setattr(world, "cut_link", cut_other)
    with pytest.raises(Violation, match="links from eu are cut, and what others write does not"):
        check_region(world, "eu")


@pytest.mark.interpreted("gives a world another method")
def test_link_that_does_not_return_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    world = fresh(Checker)
    monkeypatch.setattr(world, "heal_link", do_nothing)
    with pytest.raises(Violation, match="links from eu are healed, and us, ap lacks what it has"):
        check_region(world, "eu")


def test_wrong_states_are_caught() -> None:
    world = fresh(Checker)
    site: SimRegion = world.sites["us"]
    check_states(site, set())
    with pytest.raises(Violation, match="from eu to us as streaming, and it is cut"):
        check_states(site, {("eu", "us")})
    world.cut_link("eu", "us")
    check_states(site, {("eu", "us")})
    with pytest.raises(Violation, match="from eu to us as cut, and it is not cut"):
        check_states(site, set())
