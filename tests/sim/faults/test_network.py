"""Faults of the network: cuts, losses, delays and bandwidth."""

from __future__ import annotations

import pytest

from sim.engine.events import MS, SECOND
from sim.faults.kinds import Injector
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import NAMES, Ways, quartet, shut


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def both(*pairs: str) -> Ways:
    """Both ways between the regions of each pair, `ab` for a and b."""
    return {way for a, b in pairs for way in ((a, b), (b, a))}


@pytest.mark.parametrize(
    ("kind", "regions", "closed"),
    [
        ("cut", ("a", "b"), both("ab")),
        ("split", ("a", "b"), both("ac", "ad", "bc", "bd")),
        ("isolate", ("b",), both("ab", "bc", "bd")),
        ("ring", NAMES, both("ac", "bd")),
        ("black-hole", ("a", "c"), both("ac")),
        ("one-way", ("a", "c"), {("a", "c")}),
        ("flap", ("a", "c"), both("ac")),
    ],
)
def test_pairs_that_faults_separate(
    kind: str, regions: tuple[str, ...], closed: Ways, world: SimWorld
) -> None:
    Injector(world).apply_step(ScheduleStep(world.now, kind, regions, SECOND, 600))
    assert shut(world) == closed


def test_flapping_link_goes_up_and_down(world: SimWorld) -> None:
    Injector(world).apply_step(ScheduleStep(world.now, "flap", ("a", "b"), 500 * MS, 100))
    states: list[bool] = []
    for _ in range(8):
        world.sleep(50 * MS if not states else 100 * MS)
        states.append(bool(shut(world)))
    assert states == [True, False, True, False, True, False, False, False]


def test_half_of_regions_fall_silent_one_after_another(world: SimWorld) -> None:
    Injector(world).apply_step(
        ScheduleStep(world.now, "swizzle", ("c", "b", "a", "d"), 10 * SECOND)
    )
    begun = world.now
    silent_c, silent_b = both("ac", "bc", "cd"), both("ab", "bc", "bd")
    for second, closed in ((1, silent_c), (3, silent_b | silent_c), (6, silent_c), (8, both())):
        world.sleep_until(begun + second * SECOND)
        assert shut(world) == closed


@pytest.mark.parametrize(
    ("kind", "value", "name", "found"),
    [
        ("slow", 20, "slowness", 2000),
        ("squeeze", 500, "bandwidth", 500),
        ("noise", 7, "flips", 7),
        ("chop", 60, "chops", 60),
        ("loss", 60, "losses", 60),
        ("burst-loss", 60, "bursts", 60),
    ],
)
def test_one_way_is_worse(kind: str, value: int, name: str, found: int, world: SimWorld) -> None:
    usual = getattr(world.network.way("b", "a"), name)
    Injector(world).apply_step(ScheduleStep(world.now, kind, ("a", "b"), SECOND, value))
    assert getattr(world.network.way("a", "b"), name) == found
    assert getattr(world.network.way("b", "a"), name) == usual


def test_flapping_link_that_is_up_in_end_is_not_healed_again(world: SimWorld) -> None:
    Injector(world).apply_step(ScheduleStep(world.now, "flap", ("a", "b"), 350 * MS, 100))
    world.sleep(340 * MS)
    assert shut(world) == set()
    world.sleep(SECOND)
    assert shut(world) == set()


def test_link_freed_before_silence_stays_free(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "swizzle", NAMES, 10 * SECOND))
    world.sleep(SECOND)
    assert shut(world)
    injector.end_all_faults()
    for _ in range(10):
        assert shut(world) == set()
        world.sleep(SECOND)


def test_follower_is_separated_with_or_without_word(world: SimWorld) -> None:
    copy = world.copies["f"]
    for is_told in (1, 0):
        Injector(world).apply_step(ScheduleStep(world.now, "follower-cut", ("f",), SECOND, is_told))
        assert shut(world) == both("af", "bf")
        world.sleep(500 * MS)
        assert [dial.wire is None for dial in copy.connectors.values()] == [bool(is_told)] * 2
        world.sleep(SECOND)
        assert shut(world) == set()


def test_follower_has_little_bandwidth_for_a_while(world: SimWorld) -> None:
    injector = Injector(world)
    for value in (900, 700):  # the second comes too early
        injector.apply_step(ScheduleStep(world.now, "follower-squeeze", ("f",), SECOND, value))
    assert injector.fired["follower-squeeze"] == 1
    limits = {(way.source, way.sink): way.bandwidth for way in world.network if way.bandwidth}
    assert limits == {("a", "f"): 900, ("b", "f"): 900}
    world.sleep(2 * SECOND)
    assert not any(way.bandwidth for way in world.network)


def test_region_goes_deaf_on_one_way_after_another(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "deaf", NAMES, 3 * SECOND))
    first, *others = NAMES
    seen: list[int] = []
    for _ in range(4):
        world.sleep(SECOND - MS)
        assert shut(world) <= {(name, first) for name in others[:-1]}
        seen.append(len(shut(world)))
    assert seen == [1, 2, 2, 0]
    assert world.converge(10 * SECOND)


def test_region_that_hears_again_early_stays_so(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "deaf", NAMES, 3 * SECOND))
    world.sleep(SECOND // 2)
    injector.end_all_faults()
    world.sleep(2 * SECOND)
    assert shut(world) == set()
