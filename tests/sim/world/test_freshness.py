"""Probes of freshness in an idle world: slow delivery, missed wake-ups and wrong replies."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from crdb.engine.environment.link_control import LinkInfo, LinkState
from crdb.region.report.link_info import ProcessLinks
from sim.checkers.links.leftovers import LeftoversChecker
from sim.engine.checker import Checker, Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world import freshness
from sim.world.freshness import (
    FreshnessProbe,
    arrival_limit_ns,
    check_freshness,
    comeback_limit_ns,
    resync_limit_ns,
    snapshot_limit_ns,
)
from sim.world.world import SimWorld
from tests.sim.planted import fresh

COPY = Copy("copy", 200, ("us",))


def quiet(*copies: Copy) -> SimWorld:
    return fresh(Checker, copies=copies)


def test_healthy_world_is_fresh() -> None:
    world = fresh(copies=(COPY,))
    check_freshness(world)
    assert not any(session.waiting for session in world.sessions.by_number.values())


def test_more_hops_and_small_windows_take_longer() -> None:
    near = SimWorld(Plan.of(("eu", "us", "ap"), delay_ms=20))
    far = SimWorld(Plan.of(("eu", "us", "ap"), topology="line", delay_ms=20))
    assert (arrival_limit_ns(near), arrival_limit_ns(far)) == (40 * MS, 60 * MS)
    tuning = Tuning(limits=attrs.evolve(Tuning().limits, window_bytes_max=1))
    assert arrival_limit_ns(SimWorld(Plan.of(("eu", "us"), delay_ms=20, tuning=tuning))) > 1000 * MS


def test_overrun_backlog_allows_snapshot_time() -> None:
    """The write and the pop that follows are sealed in one turn, and the backlog keeps only the
    pop."""
    tuning = Tuning(history_bytes=400, snapshot_rest_ns=40 * MS)
    names, copies = ("eu", "us", "ap"), (COPY,)
    plan = attrs.evolve(Plan.of(names, delay_ms=20, tuning=tuning), copies=copies)
    world = SimWorld(plan)
    assert world.converge(10 * SECOND)
    world.sleep(2 * SECOND)
    copy = world.copies["copy"]
    before = copy.replica.merges
    check_freshness(world)
    assert copy.replica.merges > before


def test_snapshot_time_grows_with_pauses_and_queue() -> None:
    usual = Tuning().limits
    tuning = Tuning(history_bytes=400)
    slow = attrs.evolve(tuning, snapshot_rest_ns=40 * MS)
    narrow = attrs.evolve(tuning, limits=attrs.evolve(usual, window_bytes_max=1))
    other = Copy("other", 201, ("us", "eu"))
    times: list[int] = []
    for each, copies in (
        (tuning, (COPY,)),
        (slow, (COPY,)),
        (narrow, (COPY,)),
        (tuning, (COPY, other)),
    ):
        plan = Plan.of(("eu", "us", "ap"), delay_ms=20, tuning=each)
        world = SimWorld(attrs.evolve(plan, copies=copies))
        world.run("us", "SET", "k", "v")
        times.append(resync_limit_ns(world, "us"))
    pieces = world.sites["us"].take_snapshot()
    size, trip = sum(map(len, pieces)), 40 * MS + usual.ack_ns
    assert size < 256
    assert times == [4 * trip, 4 * trip + len(pieces) * 40 * MS, (4 + size) * trip, 8 * trip]
    assert resync_limit_ns(quiet(COPY), "us") == 0


def test_short_backlogs_allow_time_for_full_resync() -> None:
    world = SimWorld(Plan.of(("eu", "us", "ap"), delay_ms=20, tuning=Tuning(history_bytes=400)))
    one = 4 * (40 * MS + Tuning().limits.ack_ns)
    assert snapshot_limit_ns(world, world.sites["eu"]) == one
    assert arrival_limit_ns(world) == 40 * MS + 2 * one, "another region may be sent one before"


def test_follower_of_empty_source_gets_time() -> None:
    world = quiet(COPY)
    assert comeback_limit_ns(world) == 0
    world.run("us", "SET", "k", "v")
    assert world.converge(SECOND)
    assert comeback_limit_ns(world) == 0
    for name in world.sites:
        world.crash_process(name)
    for name in world.sites:
        world.restart_process(name)
    world.sleep(5 * SECOND)
    assert world.has_converged(), "who has nothing is not what the copy must equal"
    assert world.copies["copy"].claims() != {"us": {}}
    assert comeback_limit_ns(world) == 3 * SECOND + 12 * 2 * 20 * MS
    check_freshness(world)
    assert comeback_limit_ns(world) == 0


@pytest.mark.interpreted("replaces a function that compiled code calls")
def test_repair_peers_stop_in_the_end() -> None:
    world = fresh(LeftoversChecker)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    sink, origin = world.sites["us"].links.sinks["ap"], world.sites["eu"].replica.origin
    sink.fill(origin, 0, world.now)
    world.sleep(SECOND)
    assert world.sites["ap"].links.sources["us"].cursor.extra == {origin}

    def stop(_world: SimWorld, _site: SimRegion) -> None:
        sink.unfill(origin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(freshness, "check_links", stop)
        check_freshness(world)
    world.check_end()


def expect(text: str, world: SimWorld) -> None:
    with pytest.raises(Violation, match=text):
        check_freshness(world)


def nothing(*_: object) -> None:
    """Notify nobody."""


def is_never_copied(_copy: object) -> bool:
    """Return False, so that no follower seems to have everything."""
    return False


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_write_that_is_not_sent_at_once_is_noticed() -> None:
    world = quiet()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.sites["us"].links, "wake", nothing)
        expect("us has written, and after 40 ms eu, ap has not got it", world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_missed_wakeup_of_follower_is_found() -> None:
    world = quiet(COPY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "is_copied", is_never_copied)
        expect("has written, and after 80 ms copy lacks it", world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_client_that_is_not_woken_is_noticed() -> None:
    world = quiet()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.sites["ap"].instance, "serve_dirty_keys", nothing)
        expect("eu has written, but a client in ap still waits for it", world)


def test_region_that_takes_no_writes_is_noticed() -> None:
    world = quiet()
    world.sites["us"].instance.refuse_writes = b"STALE"
    expect(r"us answers a fresh write with \[STALE! STALE! STALE!\], not with 1", world)


def test_missing_acknowledgement_is_caught() -> None:
    world = quiet()
    world.sites["us"].links.sources["eu"].sent_bytes += 1
    expect("ms of quiet: 1 bytes from us to eu", world)


def answer(is_so: bool | None) -> Callable[[object], bool | None]:
    """Return a function that gives every query the same reply."""

    def has_converged(_question: object) -> bool | None:
        return is_so

    return has_converged


def test_early_or_missing_settle_reply_is_found() -> None:
    world = quiet()
    control = world.sites["us"].instance.links
    assert isinstance(control, ProcessLinks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "has_converged", answer(True))
        expect("us says that all has arrived, but eu, ap lacks it", world)
    world = quiet()
    control = world.sites["us"].instance.links
    assert isinstance(control, ProcessLinks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "has_converged", answer(None))
        expect("us does not say to 1 of 1 clients that all has arrived", world)


@pytest.mark.parametrize(
    "row",
    [
        LinkInfo("eu", "us", LinkState.CATCHING_UP),
        LinkInfo("eu", "us", LinkState.STREAMING, lag_ops=1),
        LinkInfo("eu", "us", LinkState.STREAMING, lag_ms=10_000.0),
    ],
)
def test_wrong_link_row_is_found(row: LinkInfo) -> None:
    world = quiet()
    control = world.sites["eu"].instance.links
    assert isinstance(control, ProcessLinks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "links", lambda: [row] * 4)
        expect("all is quiet, and eu tells of its links", world)


def test_missing_link_rows_are_found() -> None:
    world = quiet()
    control = world.sites["eu"].instance.links
    assert isinstance(control, ProcessLinks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "links", list)
        expect("eu tells of 0 links, not 4", world)


def test_client_that_asks_second_and_gets_no_reply_is_found() -> None:
    world = quiet()
    probe = FreshnessProbe(world, world.sites["eu"])
    probe.check_two_clients()
    queries = world.sites["eu"].links.convergence_queries
    queries.begin_query()
    probe.ask_to_settle(0)
    queries.has_another = False
    with pytest.raises(Violation, match="eu does not say to 1 of 1 clients that all has arrived"):
        probe.wait_for_replies(0)


def test_reply_to_client_that_asks_last_without_its_write_is_found() -> None:
    world = quiet()
    probe = FreshnessProbe(world, world.sites["us"])
    control = world.sites["us"].instance.links
    assert isinstance(control, ProcessLinks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "has_converged", answer(True))
        with pytest.raises(Violation, match="us says that all has arrived, but eu, ap lacks it"):
            probe.check_two_clients()
