"""Connectors: they dial, are refused or time out, and dial again."""

from __future__ import annotations

import pytest

from replication.protocol.backoff import CONNECT_NS_MAX, WAIT_NS_MAX
from replication.protocol.peers import Direction
from sim.engine.events import MS, SECOND
from sim.network.connector import CONNECT_RETRIES_NS, Connector
from sim.schedule.plan import Plan
from sim.world.world import SimWorld

DELAY = 20 * MS


@pytest.fixture
def world() -> SimWorld:
    return SimWorld(Plan.of(["eu", "us"], delay_ms=20))


def dial_of(world: SimWorld) -> Connector:
    return world.sites["us"].connectors["eu"]


def dial_in_silence(world: SimWorld) -> None:
    """Let `us` begin to dial while messages between the two are lost."""
    world.crash_process("us")
    world.close_way("eu", "us")
    world.close_way("us", "eu")
    world.restart_process("us")


def failures(world: SimWorld, why: str) -> int:
    """Return the number of attempts of `us` that failed for this reason."""
    lines = (line.split(" ", 1)[1] for line in world.trace.last_records(1000))
    return sum(line == f"us no connection eu: {why}" for line in lines)


def test_connection_takes_round_trip(world: SimWorld) -> None:
    world.sleep(2 * DELAY - 1)
    assert dial_of(world).wire is None
    world.sleep(1)
    wire = dial_of(world).wire
    assert wire is not None
    assert wire.far is not None
    assert wire.far.far is wire
    assert (wire.peer, wire.far.peer) == ("eu", "us")


def test_connect_attempt_is_repeated_in_silence(world: SimWorld) -> None:
    dial_in_silence(world)
    world.sleep(CONNECT_RETRIES_NS[0] - 1)
    world.open_way("eu", "us")
    world.open_way("us", "eu")
    world.sleep(1 + 2 * DELAY)
    assert dial_of(world).wire is not None
    assert dial_of(world).failures == 0


def test_connect_attempt_times_out(world: SimWorld) -> None:
    dial_in_silence(world)
    world.sleep(CONNECT_NS_MAX - 1)
    assert dial_of(world).failures == 0
    world.sleep(1)
    assert failures(world, "no answer") == dial_of(world).failures == 1
    world.sleep(2 * (CONNECT_NS_MAX + WAIT_NS_MAX))
    assert dial_of(world).failures == 3


def test_down_region_refuses_and_is_dialled_again(world: SimWorld) -> None:
    world.crash_process("eu")
    world.sleep(2 * DELAY)
    assert failures(world, "refused") == 1
    world.restart_process("eu")
    world.sleep(SECOND)
    assert dial_of(world).wire is not None


def test_connection_that_breaks_is_dialled_again(world: SimWorld) -> None:
    world.sleep(SECOND)
    first = dial_of(world).wire
    world.reset_connections("us", "eu")
    world.sleep(SECOND)
    again = dial_of(world).wire
    assert first is not None
    assert first.over
    assert again not in {None, first}


def test_link_that_was_cut_is_not_dialled(world: SimWorld) -> None:
    world.cut_link("eu", "us")
    world.sleep(10 * SECOND)
    assert world.sites["us"].links.is_cut("eu", Direction.IN)
    assert dial_of(world).wire is None
    assert world.sites["eu"].connectors["us"].wire is not None
    world.heal_link("eu", "us")
    world.sleep(SECOND)
    assert dial_of(world).wire is not None


def test_link_cut_during_dial_stays_cut(world: SimWorld) -> None:
    world.sleep(DELAY + 1)
    world.cut_link("eu", "us")
    world.sleep(SECOND)
    assert dial_of(world).wire is None
    assert not world.sites["eu"].links.sources


def test_connect_soon_dials_immediately_and_once(world: SimWorld) -> None:
    dial_in_silence(world)
    world.sleep(CONNECT_NS_MAX)
    world.open_way("eu", "us")
    world.open_way("us", "eu")
    dial = dial_of(world)
    dial.connect_soon()
    world.sleep(2 * DELAY)
    wire = dial.wire
    assert wire is not None
    dial.connect_soon()
    world.sleep(SECOND)
    assert dial.wire is wire


def test_down_region_dials_no_peer(world: SimWorld) -> None:
    dial_in_silence(world)
    world.sleep(SECOND // 2)
    world.crash_process("us")
    dial = dial_of(world)
    dial.connect_soon()
    world.sleep(20 * SECOND)
    assert dial.wire is None
    assert dial.failures == 0


def test_crash_after_answer_closes_connection(world: SimWorld) -> None:
    world.sleep(DELAY + 1)
    world.crash_process("eu")
    world.sleep(2 * DELAY)
    assert world.sites["us"].wires == []
    world.restart_process("eu")
    world.sleep(2 * SECOND)
    wire = dial_of(world).wire
    assert wire is not None
    assert wire.machine.hello is not None
