"""Faults of connections: ends that do not read, invalid frames, and repeated commands."""

from __future__ import annotations

import pytest

from replication.protocol.frames import PROTOCOL, Hello
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.faults.connections import (
    BAD_FRAMES,
    greet_with_other_version,
    send_bad_frame,
    stop_reading,
    unknown_frame,
)
from sim.faults.kinds import Injector
from sim.schedule.plan import CLUSTER
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import quartet


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def do(world: SimWorld, kind: str, *regions: str, lasts: int = 0, value: int = 0) -> None:
    Injector(world).apply_step(ScheduleStep(world.now, kind, regions, lasts, value))


@pytest.mark.parametrize("value", range(2 * len(BAD_FRAMES)))
def test_wrong_frame_ends_its_connection_and_nothing_else(value: int, world: SimWorld) -> None:
    (hit,) = world.wires_between("a", "b")
    ends = [wire for place in world.places.values() for wire in place.wires]
    do(world, "bad-frame", "a", "b", value=value)
    world.sleep(SECOND)
    over = [wire for wire in ends if wire.over]
    assert {id(wire) for wire in over} == {id(hit), id(hit.far)}
    reader = world.sites["a" if value >= len(BAD_FRAMES) else "b"]
    assert reader.rejected == 1
    assert all(site.is_up for site in world.sites.values())
    world.run("b", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    world.check_end()


def test_end_that_goes_on_after_wrong_frame_is_caught(world: SimWorld) -> None:
    (wire,) = world.wires_between("a", "b")
    wire.send_bad(b"")
    with pytest.raises(Violation, match="b goes on after a wrong frame of a"):
        world.sleep(SECOND)


def test_end_that_takes_a_right_frame_for_wrong_is_caught(world: SimWorld) -> None:
    source = world.sites["a"].links.sources["b"]
    source.sent_bytes -= 1
    world.run("a", "SET", "k", "v")
    text = r"a closes the link with b: protocol error: \d+ bytes acknowledged of \d+"
    with pytest.raises(Violation, match=text):
        world.sleep(SECOND)


def test_corrupted_wrong_frame_may_keep_connection(world: SimWorld) -> None:
    (wire,) = world.wires_between("a", "b")
    wire.send_bad(bytes((0, 8, 0, 1)))  # the length with a flipped bit
    assert wire.out is not None
    wire.out.way.tally.flipped += 1
    world.sleep(100 * MS)
    assert world.sites["b"].rejected == 0


def test_wrong_frame_behind_corrupted_length_may_keep_connection(world: SimWorld) -> None:
    (wire,) = world.wires_between("a", "b")
    assert wire.out is not None
    wire.out.way.tally.flipped += 1
    wire.out.send(bytes((0, 8, 0, 1)))  # the length of a frame with a flipped bit
    wire.sent += 4
    world.sleep(100 * MS)
    wire.send_bad(b"wrong")
    world.sleep(100 * MS)
    assert world.sites["b"].rejected == 0
    wire.out.way.tally.flipped = wire.flipped = 0  # without noise it would be a violation
    with pytest.raises(Violation, match="b goes on after a wrong frame of a"):
        world.sleep(SECOND)


def test_wrong_frame_in_pieces_ends_connection(world: SimWorld) -> None:
    (wire,) = world.wires_between("a", "b")
    data = unknown_frame(wire.connection.channel)
    assert wire.out is not None
    wire.out.send(data[:7])
    wire.sent += 7
    world.sleep(100 * MS)
    assert not wire.over
    wire.send_bad(data[7:])
    world.sleep(100 * MS)
    assert wire.over
    assert world.sites["b"].rejected == 1


@pytest.mark.parametrize("value", [0, 1])
def test_peer_of_another_version_is_refused(value: int, world: SimWorld) -> None:
    do(world, "other-version", "a", "b", value=value)
    assert world.sites["a"].rejected == 1
    world.sleep(SECOND)
    assert len(world.wires_between("a", "b")) == 1


def test_accepting_another_version_breaks_promise(world: SimWorld) -> None:
    site, other = world.sites["a"], world.sites["b"]
    hello = Hello("b", other.number, other.replica.origin, CLUSTER, {}, protocol=PROTOCOL)
    with pytest.raises(Violation, match="a accepts protocol"):
        site.receive_stranger(hello)


def test_paused_reader_receives_nothing(world: SimWorld) -> None:
    do(world, "slow-consumer", "a", "b", lasts=2 * SECOND)
    world.run("a", "SET", "k", "v")
    sink = world.sites["b"].links.sinks["a"]
    world.sleep(SECOND)
    assert world.run("c", "GET", "k") == b"v"
    world.sleep(2 * SECOND)
    assert world.run("b", "GET", "k") == b"v"
    assert world.sites["b"].links.sinks["a"] is sink


def test_long_paused_reader_loses_its_connection(world: SimWorld) -> None:
    sink = world.sites["b"].links.sinks["a"]
    do(world, "slow-consumer", "a", "b", lasts=10 * SECOND)
    world.sleep(20 * SECOND)
    assert world.sites["b"].links.sinks["a"] is not sink
    assert world.converge(SECOND)


@pytest.mark.parametrize(("value", "count"), [(0, 2), (1, 1), (2, 2), (3, 1)])
def test_client_repeats_what_it_has_no_reply_to(value: int, count: int, world: SimWorld) -> None:
    before = [world.sites[name].writes for name in ("a", "b")]
    do(world, "retry", "a", "b", lasts=SECOND, value=value)
    assert world.sites["a"].writes - before[0] == count - 1
    world.sleep(2 * SECOND)
    assert world.sites["b"].writes - before[1] == 1
    assert world.sessions.by_number == {}
    assert world.converge(SECOND)
    world.check_end()


def test_client_gives_up_where_its_region_is_down(world: SimWorld) -> None:
    do(world, "retry", "a", "b", lasts=SECOND, value=1)
    world.crash_process("b")
    world.sleep(2 * SECOND)
    assert world.sessions.by_number == {}


def test_fault_of_missing_connection_does_nothing(world: SimWorld) -> None:
    world.crash_process("b")
    step = ScheduleStep(world.now, "slow-consumer", ("a", "b"))
    assert stop_reading(world, step) == (False, None)


def test_unconnected_end_sends_no_bad_frame(world: SimWorld) -> None:
    (wire,) = world.wires_between("a", "b")
    sent = wire.sent
    wire.over = True
    assert send_bad_frame(world, ScheduleStep(world.now, "bad-frame", ("a", "b"))) == (False, None)
    assert wire.sent == sent


def test_stranger_is_ignored_by_stopped_region(world: SimWorld) -> None:
    world.crash_process("a")
    step = ScheduleStep(world.now, "other-version", ("a", "b"))
    assert greet_with_other_version(world, step) == (False, None)
    assert world.sites["a"].rejected == 0


def test_operation_arrives_before_the_one_that_precedes_it(world: SimWorld) -> None:
    here, there = world.sites["a"], world.sites["b"]
    do(world, "early", "a", "b", lasts=SECOND)
    world.sleep(16 * MS)
    origin = there.replica.origin
    assert [(op.first, op.last) for op in here.replica.causal_buffer.waiting(origin)] == [(2, 2)]
    assert here.replica.keyspace.vector.get(origin, 0) == 0
    assert world.converge(10 * SECOND)
    assert here.replica.keyspace.vector[origin] == 3
    world.sleep(2 * SECOND)
    world.check_end()


def test_nothing_arrives_early_where_region_is_down(world: SimWorld) -> None:
    injector = Injector(world)
    world.crash_process("b")
    injector.apply_step(ScheduleStep(world.now, "early", ("a", "b"), SECOND))
    assert injector.fired["early"] == 0
    world.restart_process("b")
    world.sleep(3 * SECOND)
    injector.apply_step(ScheduleStep(world.now, "early", ("a", "b"), SECOND))
    world.crash_process("b")
    world.sleep(20 * MS)
    assert world.sites["a"].replica.causal_buffer.is_empty()
    world.restart_process("b")
    assert world.converge(10 * SECOND)


def test_nothing_arrives_early_if_all_has_arrived(world: SimWorld) -> None:
    do(world, "early", "a", "b", lasts=SECOND)
    world.sites["b"].pause_until(world.now + 20 * MS)
    world.sleep(18 * MS)
    assert world.sites["a"].replica.causal_buffer.is_empty()
    assert world.converge(10 * SECOND)
