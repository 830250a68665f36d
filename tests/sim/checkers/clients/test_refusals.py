"""The checker of refusals finds a region that serves before it has caught up."""

from __future__ import annotations

import pytest

from crdb.engine.command import DENY_LOADING, WRITE
from replication.protocol.limits import SECOND
from sim.checkers.clients.refusals import RefusalsChecker
from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.nodes.region import SimRegion
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld
from tests.sim.planted import NAMES, checker_of, fresh


def behind(*, serves: bool = False) -> SimRegion:
    """Return a region that has restarted with kept data, and has not caught up yet."""
    tuning = Tuning(refuses_stale=not serves)
    plan = Plan.of(NAMES, delay_ms=20, tuning=tuning)
    world = SimWorld(plan, checkers=(RefusalsChecker,))
    assert world.converge(10 * SECOND)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    kept = world.sites["eu"].take_snapshot()
    world.crash_process("eu")
    world.restart_process("eu", kept)
    world.sleep(MS)
    return world.sites["eu"]


def test_reply_before_catching_up_is_caught() -> None:
    site = behind()
    for command in (("GET", "k"), ("SET", "k", "w"), ("ECHO", "a")):
        site.run_commands(command)
    checker = site.around.checkers[0]
    assert checker.looked == 3
    with pytest.raises(Violation, match=r"eu has not caught up .* answers GET k with b'v'"):
        checker.on_replies(site, 1, (("GET", "k"),), (b"v",))
    with pytest.raises(Violation, match=r"answers EXEC with \[b'v'\]"):
        checker.on_replies(site, 1, (("EXEC",),), ([b"v"],))
    site.instance.refuse(DENY_LOADING, None)
    with pytest.raises(Violation, match=r"answers EXISTS k with 1"):
        site.run_commands(("EXISTS", "k"))


def test_stale_read_is_allowed_if_configured() -> None:
    site = behind(serves=True)
    assert site.run_commands(("GET", "k")) == [b"v"]
    site.instance.refuse(WRITE, None)
    with pytest.raises(Violation, match=r"eu has not caught up .* makes 1 effects, from 1 on"):
        site.run_commands(("SET", "k", "w"))


def test_refusal_after_catching_up_is_caught() -> None:
    world = fresh(RefusalsChecker)
    world.run("eu", "SET", "k", "v")
    world.sites["eu"].instance.refuse(WRITE, b"STALE for a test")
    with pytest.raises(Violation, match="eu has caught up and answers SET k w with STALE"):
        world.run("eu", "SET", "k", "w")
    assert checker_of(world).looked == 0
