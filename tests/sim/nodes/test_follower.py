"""A follower: it copies, refuses writes, is promoted, and restarts."""

from __future__ import annotations

import attrs
import pytest

from crdb.engine.environment.follow_control import CannotBeFollower
from crdb.engine.errors import READ_ONLY
from crdb.region.core.following import BECAME_REPLICA, MASTERDOWN
from crdt.causality.dots import make_origin
from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal
from sim.nodes.follower import SimFollowControl, SimFollower
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.world import SimWorld


def following(*sources: str, number: int = 255, **settings: int) -> tuple[SimWorld, SimFollower]:
    """Return two regions and a follower."""
    plan = Plan.of(["eu", "us"], delay_ms=20)
    tuning = attrs.evolve(plan.tuning, **settings)
    plan = attrs.evolve(plan, copies=(Copy("f", number, sources),), tuning=tuning)
    world = SimWorld(plan)
    world.sleep(2 * SECOND)
    return world, world.copies["f"]


def test_follower_reads_and_does_not_write() -> None:
    world, copy = following("eu")
    world.run("us", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    assert world.run("f", "GET", "k") == b"v"
    assert world.run("f", "SET", "k", "w") == Refusal(READ_ONLY.decode())
    assert copy.claims() == {"eu": world.sites["eu"].replica.vector}
    assert copy.dialling_links is copy.follower


@pytest.mark.parametrize("number", [1, 255])
def test_regions_may_go_by_other_names_there(number: int) -> None:
    world, copy = following("eu", number=number)
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    there = make_origin(2 if number == 1 else 1)
    assert copy.replica.vector == {there: 1}
    assert copy.claims() == {"eu": {make_origin(1): 1}}


def test_two_sources_are_two_databases() -> None:
    world, copy = following("eu", "us")
    world.run("eu", "INCRBY", "n", "5")
    assert world.converge(10 * SECOND)
    assert world.run("f", "GET", "n") == b"10"
    assert set(copy.claims()) == {"eu", "us"}


def test_follower_resumes_from_backlog_after_cut() -> None:
    world, copy = following("eu", history_bytes=2000)
    world.run("eu", "SET", "k", "v")
    assert (copy.snapshots, copy.resumptions) == (0, 1)
    for count in (2, 30):
        world.cut("f", "eu")
        for i in range(count):
            world.run("eu", "SET", f"k{i}", "v")
            world.sleep(2 * MS)
        world.heal("f", "eu")
        assert world.converge(10 * SECOND)
        world.sleep(SECOND)
    assert (copy.snapshots, copy.resumptions) == (1, 2)
    assert world.run("f", "DBSIZE") == 31
    world.check_end()


def test_promoted_follower_keeps_data_and_receives_no_more() -> None:
    world, copy = following("eu")
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    copy.stop_following()
    assert not copy.is_following
    assert world.run("f", "SET", "mine", "1") == "OK"
    world.run("eu", "SET", "k", "w")
    assert world.converge(10 * SECOND), "who follows nobody is not waited for"
    world.sleep(SECOND)
    assert world.run("f", "GET", "k") == b"v"
    assert copy.connectors["eu"].wire is None
    with pytest.raises(AssertionError):
        copy.stop_following()
    copy.start_following()
    assert world.converge(10 * SECOND)
    assert world.run("f", "GET", "k") == b"w"
    assert world.run("f", "GET", "mine") is None
    world.sleep(SECOND)
    world.check_end()


def test_command_does_not_change_whom_a_process_follows() -> None:
    world, copy = following("eu")
    reply = world.run("f", "REPLICAOF", "localhost", "7000")
    assert isinstance(reply, Refusal)
    assert "the run itself decides who follows whom" in reply.text
    with pytest.raises(CannotBeFollower, match="the run itself decides who is promoted"):
        SimFollowControl(copy.role).promote()
    assert copy.is_following


def test_promoted_follower_shows_no_sources() -> None:
    world, copy = following("eu")
    assert copy.info_lines() != []
    copy.stop_following()
    assert copy.info_lines() == []
    info = world.run("f", "INFO", "replication")
    assert isinstance(info, bytes)
    assert b"role:master" in info


def test_each_restart_begins_empty() -> None:
    world, copy = following("eu")
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    first = copy.replica.origin
    world.crash_process("f")
    with pytest.raises(AssertionError):
        world.crash_process("f")
    world.sleep(SECOND)
    world.restart_process("f")
    assert world.run("f", "GET", "k") is None
    assert copy.replica.origin != first
    assert world.converge(10 * SECOND)
    assert world.run("f", "GET", "k") == b"v"
    assert (copy.beginnings, copy.commanded_starts) == (2, 2)


def test_step_without_effect_is_not_inspected() -> None:
    world, copy = following("eu")
    world.sleep(SECOND)
    looked = [checker.looked for checker in world.checkers]
    world.run("f", "GET", "k")
    assert [checker.looked for checker in world.checkers] == looked
    world.sleep(500 * MS)
    assert copy.is_following


def test_follower_refuses_stale_reads_while_source_is_away() -> None:
    plan = Plan.of(["eu", "us"], delay_ms=20, tuning=Tuning(refuses_stale=True))
    world = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("eu",)),)))
    world.sleep(2 * SECOND)
    copy = world.copies["f"]
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    assert world.run("f", "GET", "k") == b"v"
    world.cut("f", "eu")
    assert world.run("f", "GET", "k") == Refusal(MASTERDOWN.decode())
    copy.stop_following()
    assert world.run("f", "GET", "k") == b"v"


def test_late_bytes_of_ended_connection_do_not_count() -> None:
    world, copy = following("eu")
    earlier = copy.connectors["eu"].wire
    assert earlier is not None
    world.reset_connections("eu", "f")
    world.sleep(SECOND)
    assert earlier.over
    copy.receive_bytes(earlier, b"late")
    silence_ns = copy.silence_ns()
    assert silence_ns is not None
    assert silence_ns < SECOND


def test_waiting_client_is_refused_when_instance_follows() -> None:
    world, copy = following("eu")
    copy.stop_following()
    assert world.run("f", "BLPOP", "q", "0") is None
    copy.start_following()
    assert copy.sim_client.late == b"-" + BECAME_REPLICA + b"\r\n"
