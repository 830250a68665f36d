"""The checker of bounds finds a source that ignores its window, and a backlog or causal
buffer that exceed their limits."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.kept_ops import Ends
from sim.checkers.links.bounds import SAMPLE, WEIGHED, BoundsChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld
from tests.sim.planted import caught, finish, fresh


def eu_sends_on(world: SimWorld) -> None:
    """The links of eu get a window of a few bytes. The sources that exist ignore it."""
    links = world.sites["eu"].links
    links.limits = attrs.evolve(links.limits, window_bytes_max=100, batch_bytes_max=100)
    world.close_way("us", "eu")
    for i in range(20 * SAMPLE):
        world.run("eu", "SET", f"k{i}", "v")
        world.sleep(2 * MS)
    world.open_way("us", "eu")
    finish(world)


def test_window_that_is_not_kept_is_caught() -> None:
    assert caught(eu_sends_on) == ["bounded memory"]


def test_window_that_is_kept_is_not() -> None:
    tuning = Tuning()
    limits = attrs.evolve(tuning.limits, window_bytes_max=100, batch_bytes_max=100)
    plan = Plan.of(["eu", "us"], delay_ms=20, tuning=attrs.evolve(tuning, limits=limits))
    world = SimWorld(plan, checkers=[BoundsChecker])
    assert world.converge(10 * SECOND)
    world.close_way("us", "eu")
    for i in range(20 * SAMPLE):
        world.run("eu", "SET", f"k{i}", "v")
        world.sleep(2 * MS)
    world.open_way("us", "eu")
    finish(world)


def test_backlog_keeps_its_bound() -> None:
    world = fresh(BoundsChecker)
    world.sites["eu"].replica.history.bytes = 2 << 20
    with pytest.raises(Violation, match="eu keeps a backlog of"):
        world.run("eu", "SET", "k", "v")


def test_gate_keeps_its_bound() -> None:
    world = fresh(BoundsChecker)
    world.sites["eu"].replica.causal_buffer.bytes = 1 << 30
    with pytest.raises(Violation, match=f"{1 << 30} bytes wait in eu"):
        world.run("eu", "SET", "k", "v")


def bounds_of(world: SimWorld) -> BoundsChecker:
    """The checker of a world."""
    (checker,) = world.checkers
    assert isinstance(checker, BoundsChecker)
    return checker


def test_causal_buffer_reports_its_size() -> None:
    world = fresh(BoundsChecker)
    world.cut("eu", "us")
    world.run("eu", "SET", "k", "v")
    world.run("ap", "SET", "k", "w")
    world.sites["eu"].replica.causal_buffer.bytes = 77
    with pytest.raises(Violation, match="0 bytes wait in eu, which says 77"):
        bounds_of(world).measure_snapshot(world.sites["eu"])


def test_wrong_backlog_size_is_found() -> None:
    world = fresh(BoundsChecker)
    world.run("eu", "SET", "k", "v")
    checker = bounds_of(world)
    checker.turns = WEIGHED
    checker.measure_snapshot(world.sites["eu"])
    world.sites["eu"].replica.history.bytes += 1
    checker.turns = WEIGHED + 1
    checker.measure_snapshot(world.sites["eu"])
    checker.turns = WEIGHED
    with pytest.raises(Violation, match=r"eu keeps (\d+) bytes and says \d+"):
        checker.measure_snapshot(world.sites["eu"])


def inspect(world: SimWorld) -> None:
    """Let the checker look at the links of eu."""
    bounds_of(world).check_limits(world.sites["eu"])


def test_strangers_are_few() -> None:
    world = fresh(BoundsChecker)
    links = world.sites["eu"].links
    source = next(iter(links.sources.values()))
    links.awaiting_hello += [source] * 65
    with pytest.raises(Violation, match="65 strangers are connected to eu"):
        inspect(world)


def test_moments_remembered_are_few() -> None:
    world = fresh(BoundsChecker)
    source = next(iter(world.sites["eu"].links.sources.values()))
    source.progress.marks.extend(
        [source.progress.marks[0] if source.progress.marks else (0, 0)] * 65
    )
    with pytest.raises(Violation, match=r"eu remembers 6\d moments"):
        inspect(world)


def test_open_ends_are_few() -> None:
    world = fresh(BoundsChecker)
    links = world.sites["eu"].links
    links.followers += [next(iter(links.sources.values()))] * 65
    with pytest.raises(Violation, match="eu has 69 open ends, at most 68 make sense"):
        inspect(world)


def test_what_is_counted_wrongly_is_noticed_at_the_end() -> None:
    world = fresh(BoundsChecker)
    world.run_all("eu", ("SET", "k", "v", "PX", "60000"), ("SET", "l", "v"))
    assert world.converge(10 * SECOND)
    world.check_end()
    replica = world.sites["us"].replica
    replica.keyspace.deadlines.timed = 0
    with pytest.raises(Violation, match="1 keys of us end, which says 0"):
        world.check_end()
    replica.keyspace.deadlines.timed = 1
    replica.history.ops.ends[99] = ends = Ends()
    ends.lasts.append(1)
    with pytest.raises(Violation, match="us keeps 1 operations and looks up 2"):
        world.check_end()
