"""The checker of what a region reports to its operator finds wrong figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from crdb.engine.events.operator_events import DataAtRiskEvent
from crdb.engine.info import sections
from crdb.region.report import link_lines
from crdt.causality.dots import Vector, make_origin, region_of
from replication.protocol.frames import Ack
from sim.checkers.figures import monitoring
from sim.checkers.figures.monitoring import MonitoringChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(MonitoringChecker, copies=(Copy("copy", 255, ("eu",)),))


def inspect(world: SimWorld) -> None:
    """Let a second pass, and check the figures of all regions."""
    world.sleep(SECOND)
    world.inspect_all()


def test_true_figures_pass(world: SimWorld) -> None:
    eu = world.sites["eu"]
    world.run("eu", "SET", "k", "v", "PX", "500")
    world.cut("eu", "us")
    eu.clock.step_by(5_000)
    for number in range(30):
        world.run("us", "SET", "k", str(number))
        world.sleep(100 * MS)
    eu.clock.set_drift(300_000, world.now)
    world.crash_process("ap")
    world.restart_process("ap")
    world.sleep(5 * SECOND)
    world.heal("eu", "us")
    eu.clock.step_by(-9_000)
    finish(world)
    assert eu.clock_sets == 2
    assert checker_of(world).looked > 10


def test_effects_of_origins_that_a_region_does_not_know_do_not_count(world: SimWorld) -> None:
    eu, other = world.sites["eu"], make_origin(9)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    (end,) = eu.links.followers
    vector = {**end.progress.acknowledged, other: 7}
    ack = Ack(vector, received_bytes=end.acked_bytes)
    checker = checker_of(world)
    assert isinstance(checker, MonitoringChecker)
    checker.on_frame_received(eu, end, ack)
    end.receive_ack(ack, eu.read_clock())
    assert other not in end.progress.acknowledged
    world.inspect_all()


@pytest.mark.interpreted("replaces a function of a compiled module")
def test_other_count_of_effects_is_caught(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(2 * SECOND)
    world.run("eu", "SET", "k", "w")

    def latest_only(vector: Vector) -> dict[int, int]:
        return {region_of(origin): seq for origin, seq in sorted(vector.items())}

    monkeypatch.setattr(sections, "by_region", latest_only)
    with pytest.raises(Violation, match=r"reports crdt_\w+:\S*1\S*, and it is \S*2"):
        inspect(world)


def test_set_clock_that_is_not_counted_is_caught(world: SimWorld) -> None:
    world.sites["eu"].instance.clock_steps.count += 1
    with pytest.raises(Violation, match="eu reports crdt_clock_steps:1, and it is 0"):
        inspect(world)


@pytest.mark.interpreted("replaces a function of a compiled module")
@pytest.mark.parametrize(
    ("behind", "writes", "text"),
    [
        (("us",), 3, "eu reports that 3 effects are at risk, and ap lacks 0"),
        (
            ("us", "ap"),
            0,
            "eu reports that 0 effects are at risk, and each connected region lacks 3",
        ),
    ],
)
def test_wrong_risk_is_caught(
    behind: tuple[str, ...], writes: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fresh(MonitoringChecker)
    risk = DataAtRiskEvent(region="eu", keys=1, writes=writes, is_last=False)

    def claim_risk(_: object) -> list[DataAtRiskEvent]:
        return [risk] if writes else []

    for name in behind:
        world.close_way("eu", name)
    for number in range(3):
        world.run("eu", "SET", "k", str(number))
        world.sleep(50 * MS)
    world.sleep(200 * MS)
    monkeypatch.setattr(monitoring, "count_risks", claim_risk)
    with pytest.raises(Violation, match=text):
        world.inspect_all()


def test_peer_that_came_back_without_connection_is_not_judged() -> None:
    """A region that restarts under its old origin knows nothing of the connections before."""
    world = fresh(MonitoringChecker)
    world.close_way("eu", "us")
    world.run("eu", "SET", "k", "v")
    eu, us = world.sites["eu"], world.sites["us"]
    checker = checker_of(world)
    assert isinstance(checker, MonitoringChecker)
    ours = eu.links.memory.known_vector()
    reports = [(end, end.vector) for end in eu.links.ends() if end.peer == "us"]
    assert checker.count_lacking(eu, reports, ours) == 1
    del us.links.sources["eu"], us.links.sinks["eu"]
    assert checker.count_lacking(eu, reports, ours) == 0


@pytest.mark.interpreted("replaces a function of a compiled module")
@pytest.mark.parametrize(
    ("name", "wrong", "text"),
    [
        ("replica_lines", ("crdt_replica_2", "known=1,max_ops_lag=7"), "max_ops_lag=7 of us"),
        ("follower_lines", ("slave0", "offset=1,lag=9"), "copy is 9 s behind, and it is 0 ms"),
        ("follower_lines", ("slave0", "offset=5,lag=0"), "copy is at 5, which has reported"),
        ("follower_lines", ("master_repl_offset", 8), "it is at 8, and has 1=1"),
    ],
)
def test_wrong_line_is_caught(
    world: SimWorld,
    name: str,
    wrong: tuple[str, object],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.run("eu", "SET", "k", "v")
    world.sleep(3 * SECOND)
    lines: Callable[..., link_lines.Lines] = getattr(link_lines, name)

    def wrong_lines(*given: object) -> link_lines.Lines:
        return [*lines(*given), wrong]

    monkeypatch.setattr(monitoring, name, wrong_lines)
    with pytest.raises(Violation, match=re.escape(text)):
        world.inspect_all()


def let_operation_wait(world: SimWorld) -> tuple[SimRegion, SimRegion]:
    """Let an operation of `us` wait in `ap` for one of `eu`. Return both regions."""
    us, ap = world.sites["us"], world.sites["ap"]
    world.cut("eu", "ap")
    world.cut("us", "ap")
    world.run("eu", "SET", "k", "v")
    world.sleep(100 * MS)
    world.run("us", "SET", "k", "w")
    history = us.replica.history
    (*_, (_, _, _, data)) = history.read(history.start, history.stop)
    ap.receive_operation(data)
    return us, ap


def test_wait_that_begins_anew_is_caught(world: SimWorld) -> None:
    _, ap = let_operation_wait(world)
    assert not ap.replica.causal_buffer.is_empty()
    for _ in range(2):
        ap.links.losses.since.clear()
        ap.links.losses.record_waiting(world.now)
        world.sleep(SECOND)
        world.run("ap", "SET", "other", str(world.now))
    ap.links.losses.since.clear()
    ap.links.losses.record_waiting(world.now)
    with pytest.raises(Violation, match=r"ap reports that operations of 2 have waited for \d+ ms"):
        world.run("ap", "SET", "other", "last")


def test_wait_that_is_not_recorded_yet_is_not_judged(world: SimWorld) -> None:
    us, ap = let_operation_wait(world)
    checker = checker_of(world)
    assert isinstance(checker, MonitoringChecker)
    assert [row.origin for row in ap.links.losses.waiting()] == [us.replica.origin]
    checker.check_waiting(ap)
    assert checker.waiting["ap"] == {}
    ap.links.losses.record_waiting(world.now)
    checker.check_waiting(ap)
    assert list(checker.waiting["ap"]) == [us.replica.origin]
