"""The check of CONFIG SET passes, and finds parameters that change in part."""

from __future__ import annotations

import pytest

from sim.engine.checker import Violation
from sim.engine.rng import SeededRandom
from sim.nodes.region import SimRegion
from sim.schedule.plan import Plan
from sim.world.settings import (
    check_set,
    check_settings,
    compare_parameters,
    read_parameters,
    set_parameters,
    spoil_pairs,
)
from sim.world.world import SimWorld


@pytest.fixture
def site() -> SimRegion:
    return SimWorld(Plan.of(["eu", "us"])).sites["eu"]


def test_parameters_are_set_in_some_runs() -> None:
    counts: set[bool] = set()
    for seed in range(8):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        before = [read_parameters(site) for site in world.sites.values()]
        check_settings(world)
        counts.add(any(site.instance.statistics.commands > 5 for site in world.sites.values()))
        assert [read_parameters(site) for site in world.sites.values()] == before
    assert counts == {True, False}


@pytest.mark.parametrize("seed", range(6))
def test_region_sets_all_parameters_or_none(site: SimRegion, seed: int) -> None:
    set_parameters(site, SeededRandom(seed, "settings"))


def test_refused_parameter_is_put_among_others() -> None:
    rng = SeededRandom(1, "settings")
    places: set[int] = set()
    for _ in range(30):
        given = [("timeout", "0"), ("maxclients", "500"), ("tcp-keepalive", "60")]
        kept = list(given)
        spoil_pairs(rng, given)
        places.add(next(at for at, pair in enumerate(given) if pair not in kept))
        assert len(dict(given)) == len(given)
    assert places == {0, 1, 2, 3}


def test_parameter_that_changes_in_part_is_caught(site: SimRegion) -> None:
    before = read_parameters(site)
    site.instance.config.values["maxclients"] = "7"
    text = r"settings: eu shows maxclients '7', not '10000', after CONFIG SET \[\('timeout', 'x'"
    with pytest.raises(Violation, match=text):
        compare_parameters(site, before, [("timeout", "x")])


def test_parameter_that_is_not_in_force_is_caught(site: SimRegion) -> None:
    site.instance.config.values["maxclients"] = "7"
    with pytest.raises(Violation, match="settings: eu has maxclients 10000 in force, not 7"):
        compare_parameters(site, read_parameters(site), [("maxclients", "7")])


@pytest.mark.parametrize(("value", "is_refused"), [("x", False), ("1", True)])
def test_wrong_reply_is_caught(site: SimRegion, value: str, is_refused: bool) -> None:
    with pytest.raises(Violation, match=f"settings: eu answers CONFIG SET timeout {value}"):
        check_set(site, [("timeout", value)], is_refused=is_refused)
