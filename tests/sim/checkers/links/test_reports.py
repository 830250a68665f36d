"""The checker of reports finds needless reports, and reports that a region ignores."""

from __future__ import annotations

import pytest

from replication.protocol.frames import Heartbeat
from sim.checkers.links.reports import ReportChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(ReportChecker)


def test_usual_reports_pass(world: SimWorld) -> None:
    for number in range(5):
        world.run("eu", "SET", f"k{number}", "v")
        world.sleep(SECOND // 3)
    world.crash_process("ap")
    world.run("us", "DEL", "k1")
    world.restart_process("ap")
    finish(world)
    assert checker_of(world).looked > 100


def test_reports_count_on_a_link_that_lags(world: SimWorld) -> None:
    world.close_way("us", "eu")
    for number in range(5):
        world.run("us", "SET", f"k{number}", "v")
        world.sleep(SECOND // 2)
    world.open_way("us", "eu")
    finish(world)


def test_report_of_the_receiver_is_caught(world: SimWorld) -> None:
    site = world.sites["eu"]
    source = site.links.sources["us"]
    frame = Heartbeat({}, 0, ((source.region, {}, 0),))
    checker = checker_of(world)
    assert isinstance(checker, ReportChecker)
    with pytest.raises(Violation, match="eu sends us a report of its own"):
        checker.on_frame_sent(site, source, frame)


def receive(site: SimRegion, world: SimWorld, seq: int) -> None:
    """Let the checker see a report of us that covers so many of its own writes."""
    sink = site.links.sinks["us"]
    frame = Heartbeat({world.sites["us"].replica.origin: seq}, 0)
    checker = checker_of(world)
    assert isinstance(checker, ReportChecker)
    checker.on_frame_received(site, sink, frame)


def test_report_that_does_not_count_is_caught(world: SimWorld) -> None:
    world.run("us", "SET", "k", "v")
    world.sleep(SECOND)
    site = world.sites["eu"]
    site.replica.stability.reports.clear()
    with pytest.raises(Violation, match=r"eu has all that region 2 had .* counts nothing"):
        receive(site, world, 1)


def test_oldest_report_must_count(world: SimWorld) -> None:
    site = world.sites["eu"]
    origin = world.sites["us"].replica.origin
    world.close_way("us", "eu")
    for seq in (1, 2, 3):
        receive(site, world, seq)
    world.run("us", "SET", "k", "v")
    ((_, _, _, data),) = world.sites["us"].replica.history.read(0, 1)
    site.receive_operation(data)
    site.replica.stability.reports[2] = {origin: 0}
    with pytest.raises(Violation, match="when it reported 2=1, and counts 2=0"):
        receive(site, world, 4)


def test_report_that_was_taken_back_is_not_awaited(world: SimWorld) -> None:
    site = world.sites["eu"]
    receive(site, world, 9)
    receive(site, world, 0)
    checker = checker_of(world)
    assert isinstance(checker, ReportChecker)
    assert not checker.pending["eu"].waiting[2]


def test_new_view_makes_reports_void(world: SimWorld) -> None:
    site = world.sites["eu"]
    receive(site, world, 9)
    checker = checker_of(world)
    assert isinstance(checker, ReportChecker)
    before = checker.pending["eu"]
    world.crash_process("ap")
    world.restart_process("ap")
    finish(world)
    assert before.is_void(site)
    assert checker.pending["eu"] is not before


def test_report_about_receiver_is_not_awaited(world: SimWorld) -> None:
    site, checker = world.sites["eu"], checker_of(world)
    assert isinstance(checker, ReportChecker)
    own = site.replica.region
    frame = Heartbeat({}, 0, ((own, {site.replica.origin: 9}, 0),))
    checker.on_frame_received(site, site.links.sinks["us"], frame)
    assert own not in checker.pending["eu"].waiting
