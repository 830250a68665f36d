"""The checker of flow control finds needless pauses and windows that shrink."""

from __future__ import annotations

import attrs
import pytest

from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.protocol.frames import (
    Ack,
    OpPart,
    Ops,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import MS
from sim.checkers.links.flow import FlowChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(FlowChecker)


def checker(world: SimWorld) -> FlowChecker:
    found = checker_of(world)
    assert isinstance(found, FlowChecker)
    return found


def source_to_us(world: SimWorld) -> Source:
    return world.sites["eu"].links.sources["us"]


def sink_of_us(world: SimWorld) -> tuple[SimRegion, Sink]:
    return world.sites["us"], world.sites["us"].links.sinks["eu"]


def test_usual_flow_passes(world: SimWorld) -> None:
    for size in (1, 100_000, 1):
        world.run("eu", "SET", "k", "x" * size)
        world.sleep(2 * SECOND)
    world.reset_connections("eu", "us")
    finish(world)
    assert checker_of(world).looked > 100


def test_window_that_shrinks_after_idleness_is_caught(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v")
    source_to_us(world).pace.window_bytes = 2_000
    with pytest.raises(Violation, match="window of eu for us shrinks from 16384 to 2000 bytes"):
        world.sleep(SECOND)


def test_window_above_its_limit_is_caught(world: SimWorld) -> None:
    source = source_to_us(world)
    source.pace.window_bytes = source.limits.window_bytes_max + 1
    with pytest.raises(Violation, match=r"window of eu for us has \d+ bytes, and at most \d+ are"):
        world.sleep(SECOND)


def test_window_that_shrinks_on_slow_link_passes(world: SimWorld) -> None:
    world.network.way("eu", "us").bandwidth = 1_000
    world.run("eu", "SET", "k", "x" * 20_000)
    world.sleep(10 * SECOND)
    assert source_to_us(world).pace.window_bytes < 16_384
    world.network.way("eu", "us").bandwidth = 0
    finish(world)


def test_giving_up_too_early_is_caught(world: SimWorld) -> None:
    source = source_to_us(world)
    world.close_way("us", "eu")
    world.run("eu", "SET", "k", "v")
    source.moved_at = world.now - 61 * SECOND
    source.tick(world.now)
    with pytest.raises(Violation, match=r"eu gives us up, which has acknowledged data 0 ms ago"):
        world.sites["eu"].finish_turn()


def test_giving_up_lost_connection_passes_with_new_one(world: SimWorld) -> None:
    """The peer has lost a connection and made another one before the source notices it."""
    eu, source = world.sites["eu"], source_to_us(world)
    source.limits = attrs.evolve(source.limits, idle_ns_max=SECOND)
    world.close_way("us", "eu")
    world.run("eu", "SET", "k", "v")
    world.sleep(900 * MS)
    present = eu.links.serve(world.now)
    present.hello = source.hello
    checker(world).on_frame_received(eu, present, Ack({}, 0))
    world.sleep(2 * SECOND)
    assert source.closed
    world.open_way("us", "eu")
    finish(world)


def test_giving_up_in_time_passes(world: SimWorld) -> None:
    source = source_to_us(world)
    source.limits = attrs.evolve(source.limits, idle_ns_max=SECOND)
    world.close_way("us", "eu")
    world.run("eu", "SET", "k", "v")
    world.sleep(3 * SECOND)
    assert source.closed
    world.open_way("us", "eu")
    finish(world)


def stall(world: SimWorld) -> None:
    """Let us say that the link from eu has stalled."""
    us, sink = sink_of_us(world)
    state, sink.state = sink.state, SinkState.STALLED
    checker(world).on_frame_received(us, sink, Ops(()))
    sink.state = state


def resume(world: SimWorld) -> None:
    us, sink = sink_of_us(world)
    checker(world).on_frame_sent(us, sink, Resume({}, None))
    checker(world).on_frame_received(us, sink, Resumed())


def test_pause_doubles_with_each_stall(world: SimWorld) -> None:
    for number in range(4):
        stall(world)
        world.sleep(50 * MS << number)
        resume(world)
    us, sink = sink_of_us(world)
    sink.state = SinkState.RESUMING
    checker(world).on_frame_received(us, sink, Ops(()))  # ignored
    sink.state = SinkState.STREAMING
    stall(world)
    world.sleep(900 * MS)
    with pytest.raises(Violation, match=r"us has paused the link from eu for 900 ms, not 820"):
        resume(world)


def test_pause_is_short_after_taken_operations(world: SimWorld) -> None:
    us, sink = sink_of_us(world)
    for frame in (Ops(()), OpPart(b"", last=True)):
        for _ in range(2):
            stall(world)
            resume(world)
        checker(world).on_frame_received(us, sink, OpPart(b"", last=False))
        checker(world).on_frame_received(us, sink, frame)
        stall(world)
        world.sleep(60 * MS)
        resume(world)
    checker(world).on_frame_received(us, sink, Ops(()))
    stall(world)
    world.sleep(250 * MS)
    with pytest.raises(Violation, match=r"us has paused the link from eu for 250 ms, not 70"):
        resume(world)


def test_operation_with_ignored_part_keeps_pause_long(world: SimWorld) -> None:
    us, sink = sink_of_us(world)
    stall(world)
    sink.state = SinkState.RESUMING
    checker(world).on_frame_received(us, sink, OpPart(b"", last=False))
    sink.state = SinkState.STREAMING
    resume(world)
    checker(world).on_frame_received(us, sink, OpPart(b"", last=True))
    stall(world)
    world.sleep(100 * MS)
    resume(world)


def test_snapshot_ends_stall(world: SimWorld) -> None:
    us, sink = sink_of_us(world)
    stall(world)
    checker(world).on_frame_received(us, sink, Truncated())
    world.sleep(SECOND)
    resume(world)
    stall(world)
    checker(world).on_frame_sent(us, sink, SnapshotRequest())
    world.sleep(SECOND)
    resume(world)


def want_snapshots(world: SimWorld) -> tuple[SimRegion, Source, Source]:
    """Let us and ap want a snapshot of eu, which sends one at a time. Return eu and its sources."""
    eu = world.sites["eu"]
    sources = eu.links.sources["us"], eu.links.sources["ap"]
    for source in sources:
        checker(world).on_frame_received(eu, source, SnapshotRequest())
        source.state = SourceState.SNAPSHOT
    checker(world).on_frame_sent(eu, sources[0], SnapshotBegin({}))
    checker(world).on_frame_sent(eu, sources[0], SnapshotEnd())
    return eu, *sources


def test_snapshot_that_begins_late_is_caught(world: SimWorld) -> None:
    want_snapshots(world)
    with pytest.raises(Violation, match=r"eu lets ap wait for its snapshot for"):
        world.sleep(SECOND)


def test_snapshot_for_earlier_incarnation_is_not_awaited(world: SimWorld) -> None:
    want_snapshots(world)
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(SECOND)
    checker(world).on_frame_sent(world.sites["eu"], source_to_us(world), SnapshotEnd())
    finish(world)


@pytest.mark.parametrize("closes_first", [True, False])
def test_request_after_another_that_was_given_up_passes(
    world: SimWorld, *, closes_first: bool
) -> None:
    """A request waits from the time it is sent, not from the end of an earlier snapshot."""
    eu, first, second = world.sites["eu"], *want_snapshots(world)[1:]
    first.state = SourceState.SENDING
    if closes_first:
        second.shut()
        checker(world).on_frame_sent(eu, first, SnapshotEnd())
    else:
        second.shut()
    world.sleep(100 * MS)
    checker(world).on_frame_received(eu, first, SnapshotRequest())
    first.state = SourceState.SNAPSHOT
    checker(world).on_frame_sent(eu, first, SnapshotBegin({}))
    first.state = SourceState.SENDING


def test_snapshot_that_begins_in_its_turn_passes(world: SimWorld) -> None:
    eu, first, second = want_snapshots(world)
    checker(world).on_frame_sent(eu, second, SnapshotBegin({}))
    first.state = second.state = SourceState.SENDING
    world.sleep(SECOND)


def test_closed_end_is_not_checked(world: SimWorld) -> None:
    source = source_to_us(world)
    looked = checker_of(world).looked
    source.shut()
    checker(world).on_frame_received(world.sites["eu"], source, Ack({}, 0))
    assert checker_of(world).looked == looked
