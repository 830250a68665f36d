"""The checker of acknowledgements finds those that are late, missing or superfluous."""

from __future__ import annotations

import pytest

from replication.machines.endpoint import NEVER
from replication.machines.receiving.sink import Sink
from replication.protocol.frames import Heartbeat, SnapshotEnd
from replication.protocol.limits import MS
from sim.checkers.links.acknowledging import AcknowledgementChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(AcknowledgementChecker)


def checker(world: SimWorld) -> AcknowledgementChecker:
    found = checker_of(world)
    assert isinstance(found, AcknowledgementChecker)
    return found


def sink_of_us(world: SimWorld) -> Sink:
    return world.sites["us"].links.sinks["eu"]


def test_usual_acknowledgements_pass(world: SimWorld) -> None:
    for size in (1, 5_000, 200_000):
        world.run("eu", "SET", "k", "x" * size)
        world.sleep(SECOND // 3)
    world.reset_connections("eu", "us")
    world.crash_process("ap")
    world.restart_process("ap")
    finish(world)
    assert checker_of(world).looked > 100


def test_superfluous_acknowledgement_is_caught(world: SimWorld) -> None:
    sink_of_us(world).ack(world.now)
    with pytest.raises(Violation, match=r"us acknowledges 0 bytes to eu, \d+.* ms after the last"):
        world.sites["us"].finish_turn()


def test_merged_snapshot_is_a_reason(world: SimWorld) -> None:
    site = world.sites["us"]
    site.replica.merge(site.take_snapshot())
    sink_of_us(world).ack(world.now)
    site.finish_turn()


@pytest.mark.parametrize("frame", [Heartbeat({}, 0), SnapshotEnd()])
def test_delayed_answer_is_caught(world: SimWorld, frame: Heartbeat | SnapshotEnd) -> None:
    checker(world).links.incarnations.clear()
    checker(world).on_frame_received(world.sites["us"], sink_of_us(world), frame)
    with pytest.raises(Violation, match="us has not acknowledged the first message or a snapshot"):
        world.sleep(SECOND)


def test_missing_acknowledgement_is_caught(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v")
    world.sleep(25 * MS)
    sink = sink_of_us(world)
    assert sink.ack_at < NEVER
    sink.ack_at, sink.last_sent_at = NEVER, world.now + 4 * SECOND
    with pytest.raises(Violation, match="us has not acknowledged data of eu for"):
        world.sleep(3 * SECOND)


def test_paused_process_is_not_checked(world: SimWorld) -> None:
    site = world.sites["us"]
    world.run("eu", "SET", "k", "v")
    world.sleep(25 * MS)
    site.pause_until(world.now + 2 * SECOND)
    world.sleep(2 * SECOND)
    sink_of_us(world).ack(world.now)
    site.finish_turn()
    finish(world)
