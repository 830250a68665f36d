"""Everything that can go wrong does, is undone, and leaves nothing behind in ways or clocks."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.dice import Dice
from sim.engine import MS, SECOND
from sim.faults import FAULTS, KINDS, Fault, Injector
from sim.plan import Plan
from sim.step import Step
from sim.world import World

NAMES = ("a", "b", "c", "d")
Ways = set[tuple[str, str]]


@pytest.fixture
def world() -> World:
    """Four regions that are connected."""
    made = World(Plan.of(NAMES, delay_ms=20))
    made.sleep(2 * SECOND)
    return made


def shut(world: World) -> Ways:
    """The ways on which nothing passes."""
    return {(way.source, way.sink) for way in world.network if not way.is_open}


def both(*pairs: str) -> Ways:
    """Both ways between the regions of each pair, `ab` for a and b."""
    return {way for a, b in pairs for way in ((a, b), (b, a))}


def condition(world: World) -> list[object]:
    """All that faults may leave behind in ways, clocks and links."""
    ways = [(w.closures, w.slowness, w.bandwidth, w.flips, w.chops) for w in world.network]
    sites = world.sites.values()
    clocks = [(site.clock.stopped, site.clock.drift_ppm) for site in sites]
    states = [(site.is_up, site.is_paused, bool(site.links.cuts)) for site in sites]
    return [ways, clocks, states]


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
def test_occurrences_keep_their_bounds_and_rest_between_them(fault: Fault) -> None:
    steps = list(fault.steps(Dice(1, "x"), NAMES, mean=SECOND, end=600 * SECOND))
    assert steps == list(fault.steps(Dice(1, "x"), NAMES, mean=SECOND, end=600 * SECOND))
    assert len(steps) > 20
    assert fault.rest <= steps[0].at
    assert steps[-1].at < 600 * SECOND
    for step in steps:
        assert step.kind == fault.name
        assert fault.shortest <= step.lasts <= fault.longest
        assert fault.values[0] <= step.value <= fault.values[1]
        assert len(set(step.regions)) == len(step.regions) > 0
        assert set(step.regions) <= set(NAMES)
    for before, after in pairwise(steps):
        assert after.at >= before.at + before.lasts + fault.rest


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
def test_each_fault_happens_and_is_undone(fault: Fault, world: World) -> None:
    before = condition(world)
    injector = Injector(world)
    regions = {1: ("a",), 2: ("a", "b")}.get(len(fault.choose(Dice(1, "x"), NAMES)), NAMES)
    regions = ("a",) if fault.name == "split" else regions
    lasts = max(fault.shortest, 300 * MS if fault.longest else 0)
    injector.do(Step(world.now, fault.name, regions, lasts, max(2, fault.values[1])))
    assert injector.fired[fault.name] == 1
    world.sleep(lasts + 2 * SECOND)
    assert injector.open == {}
    assert condition(world) == before
    world.run("a", "SET", "k", "v")
    assert world.settle(60 * SECOND)
    world.check_end()


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
def test_what_is_separated(kind: str, regions: tuple[str, ...], closed: Ways, world: World) -> None:
    Injector(world).do(Step(world.now, kind, regions, SECOND, 600))
    assert shut(world) == closed


def test_a_flapping_link_goes_up_and_down(world: World) -> None:
    Injector(world).do(Step(world.now, "flap", ("a", "b"), 500 * MS, 100))
    states: list[bool] = []
    for _ in range(8):
        world.sleep(50 * MS if not states else 100 * MS)
        states.append(bool(shut(world)))
    assert states == [True, False, True, False, True, False, False, False]


def test_half_of_the_regions_fall_silent_one_after_another(world: World) -> None:
    Injector(world).do(Step(world.now, "swizzle", ("c", "b", "a", "d"), 10 * SECOND))
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
    ],
)
def test_one_way_is_worse(kind: str, value: int, name: str, found: int, world: World) -> None:
    usual = getattr(world.network.way("b", "a"), name)
    Injector(world).do(Step(world.now, kind, ("a", "b"), SECOND, value))
    assert getattr(world.network.way("a", "b"), name) == found
    assert getattr(world.network.way("b", "a"), name) == usual


def nonsense() -> list[tuple[str, tuple[str, ...]]]:
    """What makes no sense in `test_what_makes_no_sense_does_nothing`: there are three regions in a
    line, the last of which is down."""
    down = [(kind, ("c",)) for kind in ("crash", "crash-silent", "restart", "pause")]
    return [
        *down,
        ("ring", ("a", "b", "c")),
        ("reset", ("a", "c")),
        ("half-open", ("a", "c")),
        ("link-cut", ("a", "c")),
    ]


@pytest.mark.parametrize(("kind", "regions"), nonsense())
def test_what_makes_no_sense_does_nothing(kind: str, regions: tuple[str, ...]) -> None:
    world = World(Plan.of(("a", "b", "c"), topology="line", delay_ms=20))
    world.sleep(SECOND)
    world.crash("c")
    before = condition(world)
    injector = Injector(world)
    injector.do(Step(world.now, kind, regions, SECOND, 2))
    assert injector.fired[kind] == 0
    assert injector.open == {}
    assert condition(world) == before


@pytest.mark.parametrize("kind", ["squeeze", "pause", "clock-stuck"])
def test_what_happens_already_does_not_happen_twice(kind: str, world: World) -> None:
    injector = Injector(world)
    for lasts in (SECOND, 9 * SECOND):
        injector.do(Step(world.now, kind, ("a", "b")[: 2 if kind == "squeeze" else 1], lasts, 500))
    assert injector.fired[kind] == 1
    world.sleep(2 * SECOND)
    assert not world.network.way("a", "b").bandwidth
    assert not world.sites["a"].is_paused
    assert world.sites["a"].clock.stopped is None


def test_the_last_one_that_is_up_is_spared(world: World) -> None:
    injector = Injector(world)
    for name in NAMES:
        injector.do(Step(world.now, "crash", (name,), SECOND))
    assert [site.name for site in world.live()] == ["d"]
    assert injector.fired["crash"] == 3


def test_a_restart_keeps_what_a_crash_loses(world: World) -> None:
    world.run("a", "SET", "k", "v")
    world.run("b", "SET", "l", "w")
    for way in world.network:
        way.close()
    injector = Injector(world)
    injector.do(Step(world.now, "restart", ("a",), 100 * MS))
    injector.do(Step(world.now, "crash-silent", ("b",), 100 * MS))
    world.sleep(200 * MS)
    assert world.run("a", "GET", "k") == b"v"
    assert world.run("b", "GET", "l") is None


def test_steps_about_strangers_are_left_out(world: World) -> None:
    injector = Injector(world)
    injector.do(Step(world.now, "cut", ("a", "z"), SECOND))
    assert not any(injector.fired.values())
    assert shut(world) == set()


def test_all_can_be_ended_at_once_and_only_once(world: World) -> None:
    injector = Injector(world)
    injector.do(Step(world.now, "cut", ("a", "b"), SECOND))
    injector.do(Step(world.now, "one-way", ("a", "b"), SECOND))
    injector.do(Step(world.now, "crash", ("c",), SECOND))
    injector.end_all()
    assert shut(world) == set()
    assert world.sites["c"].is_up
    world.sleep(2 * SECOND)
    assert shut(world) == set()
    assert world.sites["c"].life == 2


def test_faults_are_found_by_their_names() -> None:
    assert [FAULTS[fault.name] for fault in KINDS] == list(KINDS)
    assert len(FAULTS) == len(KINDS)


def test_a_flapping_link_that_is_up_in_the_end_is_not_healed_again(world: World) -> None:
    Injector(world).do(Step(world.now, "flap", ("a", "b"), 350 * MS, 100))
    world.sleep(340 * MS)
    assert shut(world) == set()
    world.sleep(SECOND)
    assert shut(world) == set()


def test_who_has_been_freed_before_it_fell_silent_stays_free(world: World) -> None:
    injector = Injector(world)
    injector.do(Step(world.now, "swizzle", NAMES, 10 * SECOND))
    world.sleep(SECOND)
    assert shut(world)
    injector.end_all()
    for _ in range(10):
        assert shut(world) == set()
        world.sleep(SECOND)
