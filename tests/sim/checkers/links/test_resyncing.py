"""The checker of full resyncs finds superfluous snapshots, and links that wait for nobody."""

from __future__ import annotations

import pytest

from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.frames import Resume, SnapshotEnd, SnapshotRequest, Truncated
from sim.checkers.links.resyncing import SAMPLE, ResyncChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.nodes.region import SimRegion
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(ResyncChecker)


def checker(world: SimWorld) -> ResyncChecker:
    found = checker_of(world)
    assert isinstance(found, ResyncChecker)
    return found


def us(world: SimWorld) -> SimRegion:
    return world.sites["us"]


def sink_from(world: SimWorld, peer: str) -> Sink:
    return us(world).links.sinks[peer]


def look(world: SimWorld) -> None:
    for _ in range(SAMPLE):
        checker_of(world).on_turn_end(us(world), ())


def test_lost_snapshot_peer_passes() -> None:
    world = fresh(ResyncChecker)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "lost-donor", ("us",), 4 * SECOND))
    world.sleep(5 * SECOND)
    finish(world)
    assert checker_of(world).looked > 1


def test_two_snapshots_at_once_are_caught(world: SimWorld) -> None:
    for peer in ("eu", "ap"):
        sink_from(world, peer).state = SinkState.LOADING
    with pytest.raises(Violation, match="us loads the snapshots of ap and eu at once"):
        look(world)


def test_link_may_wait_while_another_loads(world: SimWorld) -> None:
    sink_from(world, "eu").state = SinkState.LOADING
    sink_from(world, "ap").state = SinkState.WAITING
    look(world)
    assert checker_of(world).looked == 1
    sink_from(world, "eu").state = SinkState.STREAMING
    with pytest.raises(Violation, match="the link from ap to us waits until another snapshot"):
        look(world)


def test_snapshot_after_another_one_is_caught(world: SimWorld) -> None:
    sink = sink_from(world, "eu")
    found = checker(world)
    found.on_frame_received(us(world), sink, Truncated())
    found.on_frame_sent(us(world), sink, SnapshotRequest())
    found.on_frame_received(us(world), sink, Truncated())
    us(world).replica.merges += 1
    found.on_frame_sent(us(world), sink, Resume({}, None))
    found.on_frame_sent(us(world), sink, SnapshotRequest())
    found.on_frame_received(us(world), sink, Truncated())
    us(world).replica.merges += 1
    with pytest.raises(Violation, match="us requests the snapshot of eu, and has merged another"):
        found.on_frame_sent(us(world), sink, SnapshotRequest())


def test_snapshot_that_answers_a_refusal_settles_it(world: SimWorld) -> None:
    """Seed 277: gap repair had requested the snapshot before the peer refused."""
    sink = sink_from(world, "eu")
    found = checker(world)
    found.on_frame_received(us(world), sink, Truncated())
    found.on_frame_received(us(world), sink, SnapshotEnd())
    us(world).replica.merges += 1
    found.on_frame_sent(us(world), sink, SnapshotRequest())
    assert found.looked == 0
