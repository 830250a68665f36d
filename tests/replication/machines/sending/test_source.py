"""The source: what it sends and when, and a truncated backlog."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from replication.machines.endpoint import NEVER, OUTBOX_MAX
from replication.machines.sending.progress import MARKS_MAX, Stage
from replication.machines.sending.source_states import SourceState
from replication.protocol import frames
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    Closed,
    Connected,
    ConvergenceReceived,
    OriginReused,
    Reported,
    Resynced,
)
from replication.protocol.frames import (
    FOLLOWER,
    PROTOCOL,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Heartbeat,
    Hello,
    OpPart,
    Ops,
    Refuse,
    Resume,
    Resumed,
    SnapshotRequest,
)
from replication.protocol.limits import MS, SECOND, Limits
from replication.protocol.peers import Direction
from tests.replication.ends import (
    EU,
    US,
    connected_source,
    drain,
    exchange,
    hello,
    joined,
    make_source,
    of,
    replica,
    write,
)

S = SourceState
SMALL = Limits(window_bytes_max=100, batch_bytes_max=50)


def test_hello_is_answered_with_hello_and_heartbeat() -> None:
    here = replica(1)
    write(here)
    source = make_source(here)
    events = source.receive(hello(2, {EU: 3}), 0)
    assert events == [Connected("r2", Direction.OUT, 2, EU)]
    assert drain(source) == [hello(1, {US: 1}), Heartbeat({US: 1}, 0)]


def test_time_before_hello_does_not_count_as_unacknowledged() -> None:
    """A connection is accepted at 0. Its Hello takes longer than data may stay unacknowledged."""
    here = replica(1)
    source = make_source(here, Limits(idle_ns_max=SECOND))
    source.receive(hello(2), 3 * SECOND)
    source.receive(Resume({}, (1,)), 3 * SECOND)
    write(here)
    assert of(Ops, drain(source))
    assert source.tick(3 * SECOND + SECOND // 2) == []
    assert source.tick(4 * SECOND + 1) == [
        Closed("r2", Direction.OUT, "nothing acknowledged for 1000 ms")
    ]


def test_rest_before_data_does_not_count_as_unacknowledged() -> None:
    """While links rest, messages that go with those of other links take the place of ticks."""
    here = replica(1)
    source = connected_source(here, Limits(idle_ns_max=SECOND))
    for half_seconds in range(1, 5):
        source.beat_now(half_seconds * SECOND // 2)
    write(here)
    assert of(Ops, drain(source))
    assert source.tick(2 * SECOND + SECOND // 2) == []
    assert source.tick(3 * SECOND + 1) == [
        Closed("r2", Direction.OUT, "nothing acknowledged for 1000 ms")
    ]


def test_another_protocol_is_refused() -> None:
    source = make_source(replica(1))
    events = source.receive(attrs.evolve(hello(2), protocol=9), 0)
    assert events == [Closed("r2", Direction.OUT, f"protocol 9, this program speaks {PROTOCOL}")]
    assert drain(source) == [Refuse(f"protocol 9, this program speaks {PROTOCOL}")]
    assert source.closed
    assert source.deadline == NEVER


def test_only_ops_of_routes_are_sent() -> None:
    here, other = replica(1), replica(2)
    write(here)
    write(other)
    for op in other.since({}):
        here.accept(op)
    source = connected_source(here)
    batch = here.history.read(0, 9)[0][3]
    assert of(Ops, drain(source)) == [Ops((batch,))]
    assert not source.ready
    assert source.behind() == 1


def test_sink_gets_what_it_lacks_and_then_what_is_written() -> None:
    here = replica(1)
    write(here, 3)
    source = make_source(here)
    source.receive(hello(2), 0)
    assert source.receive(Resume({US: 2}, (1,)), 0) == [Resynced("r2", Direction.OUT, False)]
    assert source.progress.stage is Stage.CATCHING_UP
    (resumed, ops) = drain(source)[2:]
    assert resumed == Resumed()
    assert len(of(Ops, [ops])[0].batch) == 1
    assert source.progress.stage is Stage.STREAMING
    write(here)
    assert source.ready
    assert len(of(Ops, drain(source))[0].batch) == 1
    assert source.cursor.position == 4
    assert (source.tally.ops, source.tally.partial_ok) == (2, 1)


def test_sink_with_part_of_shared_batch_gets_remainder() -> None:
    here, other = replica(1), replica(2)
    write(here, 2)
    write(other)
    for op in other.since({}):
        here.accept(op)
    source = make_source(here)
    source.receive(hello(3), 0)
    source.receive(Resume({US: 2}, (1, 2)), 0)
    (ops,) = of(Ops, drain(source))
    assert len(ops.batch) == 1
    # If it is asked once more, it reads the backlog again, and sends nothing twice.
    source.receive(Resume({US: 1, EU: 1}, (1, 2)), 0)
    (ops,) = of(Ops, drain(source))
    assert len(ops.batch) == 1


def test_window_bounds_bytes_in_transit() -> None:
    here = replica(1)
    write(here, 20, size=20)
    source = connected_source(here, SMALL)
    drain(source)
    assert 100 <= source.in_flight < 150 + 50
    assert not source.ready
    assert not source.skip()
    assert source.frames_to_send() == []
    flying = source.in_flight
    source.receive(Ack({}, flying), 0)
    assert source.in_flight == 0
    assert source.ready
    assert source.in_flight == 0


@pytest.mark.parametrize("acked", [-1, 1])
def test_acknowledgement_of_what_was_not_sent_is_error(acked: int) -> None:
    source = connected_source(replica(1))
    with pytest.raises(RemoteProtocolError, match="bytes acknowledged"):
        source.receive(Ack({}, acked), 0)


def test_large_op_goes_in_parts() -> None:
    here = replica(1)
    write(here, size=120)
    write(here, size=1)
    source = connected_source(here, attrs.evolve(SMALL, window_bytes_max=1000))
    output = drain(source)
    parts = of(OpPart, output)
    assert [part.last for part in parts] == [False, False, True]
    assert b"".join(part.data for part in parts) == here.history.read(0, 1)[0][3]
    assert len(of(Ops, output)) == 1


def test_acknowledgement_is_report_and_measure_of_way() -> None:
    here = replica(1)
    write(here, 2)
    source = connected_source(here)
    drain(source)
    events = source.receive(Ack({US: 1}, 0, 77, 5, 1 * MS, 2 * MS), 10 * MS)
    assert events == [Reported("r2", 2, {US: 1}, 77)]
    assert source.rtt == 7 * MS
    assert source.progress.acknowledged == {US: 1}
    assert source.behind() == 1
    assert source.progress.acknowledged == {US: 1}


def test_buffered_operation_is_not_acknowledged_by_resume() -> None:
    """Region 2 has buffered an operation of region 1 whose dependency it lacks. It resumes after
    this operation, which must not count for WAIT."""
    here, there, third = replica(1), replica(2), replica(3)
    write(third)
    here.accept(third.since({})[0])
    write(here)
    there.accept(here.since({third.origin: 1})[0])
    source, sink = joined(here, there)
    assert source.cursor.sent == {US: 1}
    assert source.progress.acknowledged == {}
    there.accept(third.since({})[0])
    sink.ack(MS)
    exchange(sink, source, MS)
    assert source.progress.acknowledged == {US: 1, third.origin: 1}


def test_lag_is_age_of_oldest_effect_that_is_not_acknowledged() -> None:
    here = replica(1)
    source = connected_source(here)
    assert source.lag_ns(5) == 0
    write(here)
    source.receive(Ack({}, 0), 100)
    write(here)
    source.receive(Ack({}, 0), 200)
    assert source.lag_ns(250) == 150
    source.receive(Ack({US: 1}, 0), 300)
    assert source.lag_ns(300) == 100
    source.receive(Ack({US: 2}, 0), 400)
    assert source.lag_ns(400) == 0
    write(here)
    assert source.lag_ns(500) == 0
    assert source.lag_ns(600) == 100
    source.progress.acknowledge({US: 3})
    assert source.lag_ns(700) == 0, "the sink has resumed with more"
    for number in range(MARKS_MAX + 5):
        write(here)
        source.receive(Ack({US: 2}, 0), 500 + number)
    assert MARKS_MAX // 2 <= len(source.progress.marks) <= MARKS_MAX


def test_unknown_own_effects_are_reported_once_by_source() -> None:
    source = make_source(replica(1))
    events = source.receive(hello(2, {US: 5}), 0)
    assert events[1:] == [OriginReused("r2", US)]
    source.receive(Resume({}, (1,)), 0)
    assert of(OriginReused, source.receive(Ack({US: 5}, 0), 0)) == []


def test_follower_gets_everything_and_reports_nothing() -> None:
    here, other = replica(1), replica(2)
    here.stability.members = {2}
    write(here)
    write(other)
    for op in other.since({}):
        here.accept(op)
    here.record_report(2, {US: 1, EU: 1}, 50)
    here.advance(60)
    source = connected_source(here, routes=None)
    assert source.is_follower
    (ops,) = of(Ops, drain(source))
    assert len(ops.batch) == 2
    assert source.receive(Ack({US: 1}, 0, 5), 0) == []
    source.heartbeat(1)
    (heartbeat,) = of(Heartbeat, drain(source))
    assert heartbeat.reports == ((1, {US: 1, EU: 1}, 50),)
    assert source.check_origin({US: 99}) == []


def test_reports_of_regions_behind_us_are_relayed() -> None:
    here = replica(1)
    write(here)
    source = make_source(here)
    source.receive(hello(2), 0)
    source.receive(Resume({}, (1, 2, 3)), 0)
    drain(source)
    here.record_report(3, {US: 1}, 44)
    here.record_report(2, {US: 1}, 45)
    source.heartbeat(1)
    assert of(Heartbeat, drain(source))[0].reports == ((3, {US: 1}, 44),)


def test_heartbeats_go_out_in_time_and_silence_ends_link() -> None:
    limits = Limits()
    source = connected_source(replica(1))
    drain(source)
    assert source.deadline == limits.heartbeat_ns
    assert source.tick(limits.heartbeat_ns - 1) == []
    assert not source.ready
    source.tick(limits.heartbeat_ns)
    source.tick(2 * limits.heartbeat_ns)
    assert len(of(Heartbeat, drain(source))) == 1, "only the newest is worth sending"
    events = source.tick(limits.silence_ns_max)
    assert events == [Closed("r2", Direction.OUT, "silent for 5000 ms")]
    assert drain(source) == [Refuse("silent for 5000 ms")]
    assert source.close("again") == []
    assert source.tick(2 * limits.silence_ns_max) == []


def test_sink_without_hello_is_closed() -> None:
    source = make_source(replica(1))
    assert source.deadline == Limits().silence_ns_max
    assert source.tick(source.deadline) == [Closed("", Direction.OUT, "silent for 5000 ms")]


@pytest.mark.parametrize("frame", [ConvergenceRequest(US, 7, 1, {}), ConvergenceReply(US, 7, True)])
def test_convergence_frames_become_events(frame: ConvergenceRequest | ConvergenceReply) -> None:
    assert connected_source(replica(1)).receive(frame, 0) == [ConvergenceReceived("r2", frame)]


def test_sink_that_only_asks_is_closed() -> None:
    source = connected_source(replica(1))
    source.outbox = [Resumed()] * OUTBOX_MAX
    with pytest.raises(RemoteProtocolError, match="asks for more"):
        source.receive(Resume({}, (1,)), 0)
    with pytest.raises(RemoteProtocolError, match="asks for more"):
        source.receive(ConvergenceRequest(US, 1, 1, {}), 0)


def test_end_is_end() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    source = connected_source(here)
    drain(source)
    source.receive(SnapshotRequest(), 0)
    source.frames_to_send()
    assert source.receive(frames.Refuse("later"), 0) == [Closed("r2", Direction.OUT, "later")]
    assert source.tally.last_error == "later"
    assert source.outgoing.snapshot is None
    assert here.keyspace.readers == []
    assert not source.ready
    assert source.frames_to_send() == []


def test_other_incarnation_of_own_region_is_distinct() -> None:
    assert make_origin(2, 1) != EU
    source = make_source(replica(1))
    events = source.receive(Hello("r2", 2, make_origin(2, 1), "", {}, FOLLOWER), 0)
    assert events == [Connected("r2", Direction.OUT, 2, make_origin(2, 1))]
