"""Kinds of faults: each one happens, is undone, and leaves links and clocks as before."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.faults.kinds import FAULTS, KINDS, Cast, Fault, Injector
from sim.schedule.plan import Plan
from sim.schedule.step import FOREVER, ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import NAMES, quartet, shut

LINKS = tuple((one, other) for one in NAMES for other in NAMES if one != other)
CAST = Cast(NAMES, LINKS, ("f",))


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def condition(world: SimWorld) -> list[object]:
    """All that faults may leave behind in ways, clocks and links."""
    ways = [
        (w.closures, w.slowness, w.bandwidth, w.flips, w.chops, w.losses, w.bursts)
        for w in world.network
    ]
    sites = world.sites.values()
    clocks = [(site.clock.stopped, site.clock.drift_ppm) for site in sites]
    states = [(site.is_up, site.is_paused, bool(site.links.cuts)) for site in sites]
    states += [(copy.is_following, copy.is_paused, False) for copy in world.copies.values()]
    return [ways, clocks, states]


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
def test_occurrences_keep_their_bounds_and_rest_between_them(fault: Fault) -> None:
    steps = list(fault.steps(SeededRandom(1, "x"), CAST, mean=SECOND, end=600 * SECOND))
    assert steps == list(fault.steps(SeededRandom(1, "x"), CAST, mean=SECOND, end=600 * SECOND))
    assert len(steps) > 20
    assert fault.rest <= steps[0].at
    assert steps[-1].at < 600 * SECOND
    for step in steps:
        assert step.kind == fault.name
        assert fault.shortest <= step.lasts <= fault.longest
        assert fault.values[0] <= step.value <= fault.values[1]
        assert len(set(step.regions)) == len(step.regions) > 0
        assert set(step.regions) <= {*NAMES, "f"}
    for before, after in pairwise(steps):
        assert after.at >= before.at + before.lasts + fault.rest


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
def test_each_fault_happens_and_is_undone(fault: Fault, world: SimWorld) -> None:
    before = condition(world)
    injector = Injector(world)
    chosen = fault.choose(SeededRandom(1, "x"), CAST)
    regions = {1: ("a",), 2: ("a", "b")}.get(len(chosen), NAMES)
    regions = chosen if "f" in chosen else ("a",) if fault.name == "split" else regions
    lasts = max(fault.shortest, 300 * MS if fault.longest else 0)
    injector.apply_step(
        ScheduleStep(world.now, fault.name, regions, lasts, max(2, fault.values[1]))
    )
    assert injector.fired[fault.name] == 1
    world.sleep(lasts + 2 * SECOND)
    assert injector.open == {}
    assert condition(world) == before
    world.run("a", "SET", "k", "v")
    assert world.converge(60 * SECOND)
    world.check_end()


def nonsense() -> list[tuple[str, tuple[str, ...]]]:
    """Invalid targets for `test_senseless_fault_does_nothing`: there are three regions in a
    line, the last of which is down."""
    down = [(kind, ("c",)) for kind in ("crash", "crash-silent", "restart", "pause")]
    return [
        *down,
        ("ring", ("a", "b", "c")),
        ("reset", ("a", "c")),
        ("half-open", ("a", "c")),
        ("link-cut", ("a", "c")),
        ("bad-frame", ("a", "c")),
        ("slow-consumer", ("a", "c")),
        ("other-version", ("c", "a")),
        ("torn-resync", ("c",)),
    ]


@pytest.mark.parametrize(("kind", "regions"), nonsense())
def test_senseless_fault_does_nothing(kind: str, regions: tuple[str, ...]) -> None:
    world = SimWorld(Plan.of(("a", "b", "c"), topology="line", delay_ms=20))
    world.sleep(SECOND)
    world.crash_process("c")
    before = condition(world)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, kind, regions, SECOND, 2))
    assert injector.fired[kind] == 0
    assert injector.open == {}
    assert condition(world) == before


@pytest.mark.parametrize("kind", ["squeeze", "pause", "clock-stuck"])
def test_fault_under_way_does_not_begin_again(kind: str, world: SimWorld) -> None:
    injector = Injector(world)
    for lasts in (SECOND, 9 * SECOND):
        injector.apply_step(
            ScheduleStep(world.now, kind, ("a", "b")[: 2 if kind == "squeeze" else 1], lasts, 500)
        )
    assert injector.fired[kind] == 1
    world.sleep(2 * SECOND)
    assert not world.network.way("a", "b").bandwidth
    assert not world.sites["a"].is_paused
    assert world.sites["a"].clock.stopped is None


def test_steps_about_strangers_are_left_out(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "cut", ("a", "z"), SECOND))
    assert not any(injector.fired.values())
    assert shut(world) == set()


def test_all_can_be_ended_at_once_and_only_once(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "cut", ("a", "b"), SECOND))
    injector.apply_step(ScheduleStep(world.now, "one-way", ("a", "b"), SECOND))
    injector.apply_step(ScheduleStep(world.now, "crash", ("c",), SECOND))
    injector.end_all_faults()
    assert shut(world) == set()
    assert world.sites["c"].is_up
    world.sleep(2 * SECOND)
    assert shut(world) == set()
    assert world.sites["c"].starts == 2


def test_fault_without_end_lasts_until_all_is_ended(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "squeeze", ("a", "b"), FOREVER, 5_000))
    injector.apply_step(ScheduleStep(world.now, "slow", ("a", "b"), SECOND, 3))
    injector.end_passing_faults()
    world.sleep(20 * SECOND)
    way = world.network.way("a", "b")
    assert (way.bandwidth, way.slowness) == (5_000, 100)
    injector.end_all_faults()
    assert way.bandwidth == 0
    assert injector.lasting == set()
    assert injector.open == {}


def test_faults_are_found_by_their_names() -> None:
    assert [FAULTS[fault.name] for fault in KINDS] == list(KINDS)
    assert len(FAULTS) == len(KINDS)


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.name)
def test_each_happens_once_at_least_if_there_is_room(fault: Fault) -> None:
    (step,) = fault.steps(SeededRandom(1, "x"), CAST, mean=10**15, end=20 * SECOND)
    assert fault.rest <= step.at < 20 * SECOND
    assert list(fault.steps(SeededRandom(1, "x"), CAST, mean=10**15, end=fault.rest)) == []


def test_possible_faults_depend_on_regions() -> None:
    few = Cast(("a", "b"), (("a", "b"), ("b", "a")))
    unfit = {fault.name for fault in KINDS if not fault.can_happen(few)}
    followers = {f"follower-{what}" for what in ("cut", "restart", "squeeze", "resync")}
    followers |= {"promote", "emptied"}
    assert unfit == {
        "ring",
        "bereave",
        "crowd",
        "deaf",
        "lost-donor",
        *followers,
        *("relay", "left-deadline", "slow-return", "contest"),
    }
    assert all(fault.can_happen(CAST) for fault in KINDS)


def test_faults_of_links_befall_links() -> None:
    line = Cast(("a", "b", "c"), (("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")))
    for kind in ("reset", "half-open", "link-cut"):
        steps = FAULTS[kind].steps(SeededRandom(1, "x"), line, mean=SECOND, end=600 * SECOND)
        assert {step.regions for step in steps} == set(line.links)
