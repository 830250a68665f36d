"""The check of figures finds whatever INFO shows of links and is not so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdb.engine.command import DENY_STALE
from crdb.region.core.following import MASTERDOWN
from sim.engine.checker import Checker, Violation
from sim.engine.events import SECOND
from sim.nodes.follower import SimFollower
from sim.nodes.region import SimRegion
from sim.schedule.plan import Copy
from sim.world.figures import Info, check_figures, describe_wrong_skew, read_info, wrong_figures
from sim.world.freshness import wait_until_quiet
from sim.world.world import SimWorld
from tests.sim.planted import fresh

COPIES = (Copy("f", 255, ("eu",)), Copy("g", 9, ("eu", "us")))
AHEAD_MS = 5_000

Plant = Callable[[SimWorld, pytest.MonkeyPatch], None]
"""Plants a wrong figure in a world."""


@pytest.fixture
def world() -> SimWorld:
    """A quiet world with two followers, in which the clock of us is ahead."""
    made = fresh(Checker, copies=COPIES)
    made.sites["us"].clock.step_by(AHEAD_MS)
    made.run("eu", "SET", "k", "v")
    assert made.converge(10 * SECOND)
    made.sleep(2 * SECOND)
    wait_until_quiet(made)
    return made


def test_healthy_world_passes(world: SimWorld) -> None:
    world.sites["ap"].clock.tick_ms = 1000
    world.sleep(2 * SECOND)
    check_figures(world)
    world.copies["f"].stop_following()
    world.sleep(2 * SECOND)
    check_figures(world)


def expect(world: SimWorld, text: str) -> None:
    with pytest.raises(Violation, match=text):
        check_figures(world)


def plant_skew(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    skews = world.sites["eu"].links.skews
    record = skews.record

    def negate(peer: str, theirs_ms: int, ours_ms: int, trip_ns: int | None) -> bool:
        found = record(peer, theirs_ms, ours_ms, trip_ns)
        skews.of[peer] = -skews.of.get(peer, 0)
        return found

    monkeypatch.setattr(skews, "record", negate)
    world.sleep(SECOND)


def plant_ghost(world: SimWorld, _: pytest.MonkeyPatch) -> None:
    links = world.sites["eu"].links
    links.followers.append(links.followers[0])


def plant_missing_follower(world: SimWorld, _: pytest.MonkeyPatch) -> None:
    links = world.sites["eu"].links
    links.followers = links.followers[:1]


def plant_unknown_region(world: SimWorld, _: pytest.MonkeyPatch) -> None:
    world.sites["eu"].replica.stability.members = {2}


def plant_lost_peer(world: SimWorld, _: pytest.MonkeyPatch) -> None:
    world.cut("eu", "ap")


def plant_silence(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = world.copies["f"].follower

    def last_io_ms(_peer: str, _now: int) -> float:
        return 99_000.0

    monkeypatch.setattr(follower, "last_io_ms", last_io_ms)


def plant_wrong_lag(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = world.copies["f"].follower.sinks["eu"]

    def lag_ns(_now: int) -> int:
        return 99 * SECOND

    monkeypatch.setattr(sink, "lag_ns", lag_ns)


def plant_refused_reads(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = world.copies["f"]
    monkeypatch.setattr(copy.role, "refuse_reads", lambda: None)
    copy.instance.refuse(DENY_STALE, MASTERDOWN)


@pytest.mark.interpreted("gives compiled objects other methods")
@pytest.mark.parametrize(
    ("plant", "text"),
    [
        (plant_skew, "that the clock of us is ahead by -[0-9]+ ms, and it is 5000 ms"),
        (plant_ghost, r"3 followers, \['f', 'g', 'f'\], not \['f', 'g'\]"),
        (plant_missing_follower, r"1 followers, \['f'\], not \['f', 'g'\]"),
        (plant_unknown_region, "nothing for ap"),
        (plant_lost_peer, "no line for ap|name=ap,in=down"),
        (plant_silence, "that it has heard nothing for 99 s"),
        (plant_refused_reads, "that it refuses reads: MASTERDOWN"),
        (plant_wrong_lag, "'lag_ms': '99000'.* of its source eu"),
    ],
)
def test_wrong_figures_are_caught(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch, plant: Plant, text: str
) -> None:
    plant(world, monkeypatch)
    expect(world, text)


def test_slow_exchanges_measure_no_clocks(world: SimWorld) -> None:
    site = world.sites["eu"]
    assert describe_wrong_skew(world, site, world.sites["us"], -1) != ""
    for way in world.network:
        way.slowness *= 60
    assert describe_wrong_skew(world, site, world.sites["us"], -1) == ""


def test_write_in_transit_is_counted(world: SimWorld) -> None:
    world.cut("eu", "us")
    world.run("eu", "SET", "k", "w")
    shown = list(wrong_figures(world, world.sites["eu"]))
    assert any("for us" in text for text in shown)


@pytest.mark.interpreted("replaces a function of a compiled module")
@pytest.mark.parametrize(
    ("field", "wrong", "text"),
    [
        ("crdt_waiting", "3", "eu shows that operations wait, crdt_waiting.*:3"),
        ("master_repl_offset", "7", "eu shows an offset of 7, not 1"),
        ("slave_read_only", "0", "f shows slave_read_only:0, not 1"),
        ("source0", "name=eu,lag_ms=0,status=stale", "f shows that it is stale with eu"),
    ],
)
def test_each_wrong_field_is_caught(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch, field: str, wrong: str, text: str
) -> None:
    def read_wrong(place: SimRegion | SimFollower, section: str) -> Info:
        info = read_info(place, section)
        return {**info, **{name: wrong for name in info if name.startswith(field)}}

    monkeypatch.setattr("sim.world.figures.read_info", read_wrong)
    expect(world, text)
