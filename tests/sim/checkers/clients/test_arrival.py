"""The checker of arrival finds replies of WAIT and its kin that are late or untrue."""

from __future__ import annotations

import pytest

from replication.mesh.convergence_query import ConvergenceQueries
from sim.checkers.clients.arrival import ArrivalChecker, regions_heard
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

WAIT = ("WAIT", "1", "500")
SETTLE = ("CRDB.SETTLE", "1000")


@pytest.fixture
def world() -> SimWorld:
    return fresh(ArrivalChecker)


def say_yes(_self: ConvergenceQueries, _query: int) -> bool:
    """Answer that everything has arrived."""
    return True


def test_replies_in_time_are_right(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "1")
    world.run_session("eu", 1, WAIT)
    world.run_session("eu", 2, ("WAIT", "3", "60"))
    world.run_session("eu", 3, SETTLE)
    world.run_session("eu", 4, ("GET", "k"))
    world.run_session("eu", 5, ("BLPOP", "l", "0.1"))
    world.sleep(SECOND)
    world.run("us", "SET", "k", "1")
    assert [world.sessions.by_number[n].waiting for n in (1, 2, 3)] == [None] * 3
    assert checker_of(world).looked == 2 + 6


def test_wait_that_replies_too_late_is_caught(world: SimWorld) -> None:
    world.sites["eu"].instance.surroundings.count_acknowledged = lambda _seq: 0
    world.run("eu", "SET", "k", "1")
    world.run_session("eu", 1, WAIT)
    world.sleep(100 * MS)
    world.run("eu", "SET", "k", "2")
    world.sleep(10 * MS)
    world.sites["eu"].advance_clocks()
    checker_of(world).on_turn_end(world.sites["eu"], ())
    world.sleep(90 * MS)
    with pytest.raises(Violation, match=r"waits, WAIT 1 500, although 2 regions have .* 100 ms"):
        world.run("eu", "SET", "k", "3")


def test_wait_that_was_never_seen_to_be_late_is_caught_with_reply(world: SimWorld) -> None:
    world.close_way("eu", "us")
    world.close_way("eu", "ap")
    world.run("eu", "SET", "k", "1")
    world.run_session("eu", 1, WAIT)
    eu, checker = world.sites["eu"], checker_of(world)
    eu.instance.advance(eu.now_ms + 700)
    with pytest.raises(Violation, match="should have given up WAIT 1 500 200 ms ago"):
        checker.on_late_reply(eu, 1, WAIT, 0)


def test_peer_that_has_not_greeted_has_acknowledged_nothing(world: SimWorld) -> None:
    eu = world.sites["eu"]
    assert regions_heard(eu, eu.replica.origin, 0) == 2
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(MS)
    assert regions_heard(eu, eu.replica.origin, 0) == 0


def test_pause_excuses_late_wait(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "1")
    world.run_session("eu", 1, WAIT)
    eu, checker = world.sites["eu"], checker_of(world)
    eu.pause_until(world.now + SECOND)
    eu.instance.advance(eu.now_ms + 700)
    checker.on_turn_end(eu, ())
    checker.on_late_reply(eu, 1, WAIT, 0)
    assert checker.looked == 1


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_settle_that_says_yes_too_early_is_caught(world: SimWorld) -> None:
    world.run("us", "SET", "k", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConvergenceQueries, "find_result", say_yes)
        with pytest.raises(Violation, match="learns that all has arrived, but us had 2=1 when it"):
            world.run_session("ap", 1, SETTLE)
    world.run("us", "SET", "k", "2")
    world.run_session("ap", 2, SETTLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConvergenceQueries, "find_result", say_yes)
        with pytest.raises(Violation, match="learns that all has arrived, but us had 2=2 when it"):
            world.sleep(10 * MS)


def test_settle_says_nothing_about_regions_beyond_cut(world: SimWorld) -> None:
    for name in ("us", "ap"):
        world.cut("eu", name)
    world.close_way("us", "ap")
    world.run("us", "SET", "k", "1")
    world.sleep(10 * MS)
    checker = checker_of(world)
    assert isinstance(checker, ArrivalChecker)
    assert set(checker.live_links()) == {("us", "ap"), ("ap", "us")}
    for number, name in enumerate(("eu", "us"), 1):
        assert world.run_session(name, number, SETTLE) == []
    checker.on_late_reply(world.sites["eu"], 1, SETTLE, 1)
    assert checker.looked == 0
    with pytest.raises(Violation, match="learns that all has arrived, but us had 2=1 when it"):
        checker.on_late_reply(world.sites["us"], 2, SETTLE, 1)


@pytest.mark.interpreted("replaces a method of a compiled class")
@pytest.mark.parametrize("act", ["cut", "crash", "leave"])
def test_settle_says_nothing_about_links_that_were_down(world: SimWorld, act: str) -> None:
    for name in ("eu", "ap"):
        world.close_way("us", name)
    world.run("us", "SET", "k", "1")
    with pytest.MonkeyPatch.context() as patch:
        world.run_session("ap", 1, SETTLE)
        patch.setattr(ConvergenceQueries, "find_result", say_yes)
        if act == "cut":
            world.cut("us", "ap")
            world.cut("us", "eu")
        elif act == "crash":
            world.crash_process("us")
        else:
            world.run_session("ap", 1, ("QUIT",))
        world.sleep(10 * MS)
    assert checker_of(world).looked == (0 if act == "leave" else 2)
