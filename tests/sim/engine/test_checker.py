"""The base class of checkers."""

from __future__ import annotations

from sim.engine.checker import Checker, Violation
from sim.nodes.run_history import RunHistory
from sim.schedule.plan import Copy
from sim.world.world import CHECKERS, SimWorld
from tests.sim.planted import caught, finish, fresh


def typical_run(world: SimWorld) -> None:
    """Trouble of every kind, and no bug."""
    world.run("eu", "SADD", "cart", "u1", "u2")
    world.run("us", "INCRBY", "count:0.0", "5")
    world.run_all("us", ("MULTI",), ("INCR", "pair:0.1"), ("INCR", "twin:0.1"), ("EXEC",))
    world.run_session("eu", 12, ("WATCH", "cart"), ("SADD", "all:0.0", "a"), ("MULTI",), ("EXEC",))
    world.run_session("eu", 12, ("SMEMBERS", "all:0.0"))
    world.run_session("eu", 13, ("SCAN", "0"))
    world.run_session("eu", 14, ("BLPOP", "queue:0.0", "0.1"))
    world.run_session("eu", 17, ("WAIT", "2", "100"))
    world.cut("eu", "us")
    world.run("eu", "SREM", "cart", "u1")
    world.run("us", "SADD", "cart", "u3")
    world.run("ap", "SET", "free:0", "u4", "PX", "500")
    world.sleep(2 * 10**9)
    kept = world.sites["ap"].take_snapshot()
    world.crash_process("ap")
    world.heal("eu", "us")
    world.sleep(10**9)
    world.restart_process("ap", kept)
    world.cut_link("us", "eu")
    world.heal_link("us", "eu")
    finish(world)


def test_without_bug_nothing_is_caught() -> None:
    assert caught(typical_run) == []


def test_every_checker_has_something_to_look_at() -> None:
    world = fresh(copies=(Copy("f", 255, ("eu",)),))
    typical_run(world)
    assert {checker.promise for checker in world.checkers if not checker.looked} <= {
        "bounded memory",
        "age",
        "connections",  # no client uses the state of its connection
        "full resyncs",  # no peer has dropped what another one lacks
        "promotion",  # nobody is promoted or asked for a role
        "requests",  # nothing waits when a link resumes
        "refusals",  # nobody asks a region that has not caught up
        "messages",  # nobody subscribes
        "stability",
        "streams",  # no session works off a stream
    }


def test_promises_have_names_of_their_own() -> None:
    assert len({kind.promise for kind in CHECKERS}) == len(CHECKERS)


def test_violation_names_promise() -> None:
    violation = Checker(RunHistory()).violation("all is lost")
    assert isinstance(violation, Violation)
    assert (violation.promise, violation.text) == ("", "all is lost")
