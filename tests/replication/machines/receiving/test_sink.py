"""The sink: what it applies and acknowledges, and how it stalls and resumes."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.machines.endpoint import NEVER
from replication.machines.receiving.sink import STALLS_MAX
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    CaughtUp,
    Closed,
    Connected,
    ConvergenceReceived,
    GapUnfilled,
    Merged,
    OpsReceived,
    OriginReused,
    Reported,
    Resynced,
    SnapshotWanted,
    Stalled,
)
from replication.protocol.frames import (
    PROTOCOL,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    Heartbeat,
    Hello,
    OpPart,
    Ops,
    Refuse,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import MS, SECOND, Limits
from replication.protocol.peers import Direction, Peer
from tests.replication.ends import (
    AP,
    EU,
    US,
    drain,
    exchange,
    hello,
    joined,
    make_sink,
    of,
    pieces,
    replica,
    sink_in_state,
    write,
)

S = SinkState


def encoded(here: Replica) -> tuple[bytes, ...]:
    """Return all ops of a replica, encoded."""
    return tuple(op.to_bytes() for op in here.since({}))


def test_sink_sends_hello_first() -> None:
    here = replica(2)
    write(here)
    sink = make_sink(here)
    assert drain(sink) == [hello(2, {EU: 1})]
    assert sink.receive(hello(1, {US: 4}), 0) == [Connected("r1", Direction.IN, 1, US)]
    assert drain(sink) == [Resume({EU: 1}, (1,))]
    assert sink.vector == {US: 4}
    assert sink.is_open


def test_events_name_source_as_it_was_dialled() -> None:
    sink = make_sink(replica(2))
    sink.expected = Peer("db:7001", 1)
    assert sink.receive(hello(1), 0) == [Connected("db:7001", Direction.IN, 1, US)]


def test_another_protocol_is_refused() -> None:
    sink = make_sink(replica(2))
    assert sink.receive(attrs.evolve(hello(1), protocol=9), 0) == [
        Closed("r1", Direction.IN, f"protocol 9, this program speaks {PROTOCOL}")
    ]
    assert sink.closed
    assert not sink.is_open


def test_ops_are_applied_and_acknowledged_by_time() -> None:
    us, eu = replica(1), replica(2)
    write(us, 2)
    sink = sink_in_state(S.STREAMING, eu)
    batch = encoded(us)
    assert sink.receive(Ops(batch), 5 * MS) == [OpsReceived("r1", 2)]
    assert eu.vector == {US: 2}
    assert sink.deadline == 5 * MS + Limits().ack_ns
    assert sink.tick(sink.deadline - 1) == []
    assert not sink.ready
    sink.tick(sink.deadline)
    size = sum(map(len, batch))
    assert drain(sink) == [Ack({US: 2}, size, 0, 55 * MS, 0, 55 * MS)]
    assert sink.deadline == 55 * MS + Limits().heartbeat_ns
    assert sink.tally.ops == 2
    assert sink.tally.bytes == size


def test_ops_are_acknowledged_by_bytes() -> None:
    us = replica(1)
    write(us, 3, size=100)
    sink = sink_in_state(S.STREAMING)
    sink.limits = Limits(ack_bytes=200)
    for data in encoded(us):
        sink.receive(Ops((data,)), 0)
    assert len(of(Ack, drain(sink))) == 1


def test_bytes_that_are_no_op_are_peers_fault() -> None:
    sink = sink_in_state(S.STREAMING)
    with pytest.raises(RemoteProtocolError, match="Ops: "):
        sink.receive(Ops((b"no op",)), 0)


def test_op_in_parts_is_put_together() -> None:
    us, eu = replica(1), replica(2)
    write(us, size=100)
    sink = sink_in_state(S.STREAMING, eu)
    (data,) = encoded(us)
    assert sink.receive(OpPart(data[:50], False), 0) == []
    assert sink.receive(OpPart(data[50:], True), 0) == [OpsReceived("r1", 1)]
    assert sink.received_bytes == len(data)
    assert eu.vector == {US: 1}


@pytest.mark.parametrize("state", [S.STALLED, S.RESUMING])
def test_parts_that_pass_by_are_counted_and_not_kept(state: S) -> None:
    sink = sink_in_state(state)
    for last in (False, False, True):
        assert sink.receive(OpPart(bytes(100), last), 0) == []
        assert sink.parts.size == 0
    assert sink.received_bytes >= 300


def test_op_whose_beginning_has_passed_by_passes_by_whole() -> None:
    sink = sink_in_state(S.RESUMING)
    sink.receive(OpPart(b"beginning", False), 0)
    sink.receive(Resumed(), 0)
    assert sink.receive(OpPart(b"end", True), 0) == []
    with pytest.raises(RemoteProtocolError):
        sink.receive(OpPart(b"another", True), 0)


def test_part_of_piece_needs_snapshot_that_was_asked_for() -> None:
    sink = sink_in_state(S.STREAMING)
    sink.load()
    with pytest.raises(RemoteProtocolError, match="a piece outside a snapshot"):
        sink.receive(SnapshotPiece(bytes(100), False), 0)
    assert sink.parts.size == 0


def test_op_that_waits_for_another_is_acknowledged() -> None:
    us, ap, eu = replica(1), replica(3), replica(2)
    write(ap)
    for op in ap.since({}):
        us.accept(op)
    write(us)
    sink = sink_in_state(S.STREAMING, eu)
    waiting = us.since({})[1].to_bytes()
    assert sink.receive(Ops((waiting,)), 0) == [OpsReceived("r1", 0)]
    assert sink.received_bytes == len(waiting)
    assert eu.vector == {}
    assert sink.applier.held() == {US: 1}


def test_full_gate_stalls_link_and_each_time_for_longer() -> None:
    us, ap, eu = replica(1), replica(3), replica(2)
    write(ap)
    for op in ap.since({}):
        us.accept(op)
    write(us)
    eu.causal_buffer.limit = 1
    sink = sink_in_state(S.STREAMING, eu)
    waiting = us.since({})[1].to_bytes()
    now, pauses = 0, []
    for _ in range(STALLS_MAX + 2):
        assert of(Stalled, sink.receive(Ops((waiting, waiting)), now)) == [Stalled("r1")]
        assert sink.receive(Ops((waiting,)), now) == [], "what is on its way passes by"
        pauses.append(sink.resume_at - now)
        while sink.state is S.STALLED:
            now = sink.deadline
            sink.tick(now)
        assert Resume({}, (1,)) in drain(sink)
        assert sink.receive(Ops((waiting,)), now) == []
        assert sink.receive(Resumed(), now) == [Resynced("r1", Direction.IN, False)]
    assert sink.received_bytes == 4 * len(waiting) * (STALLS_MAX + 2)
    first = Limits().stall_ns
    assert pauses == [first << min(time, STALLS_MAX) for time in range(STALLS_MAX + 2)]
    assert sink.receive(Ops(encoded(ap)), now) == [OpsReceived("r1", 1)]
    assert sink.receive(Ops((waiting,)), now) == [OpsReceived("r1", 1)]
    assert sink.stalls == 0


def test_ops_that_leave_gap_wait_and_are_not_taken_for_held() -> None:
    us, eu = replica(1), replica(2)
    write(us, 2)
    sink = sink_in_state(S.STREAMING, eu)
    assert sink.receive(Ops(encoded(us)[1:]), 0) == [OpsReceived("r1", 0)]
    assert sink.applier.held() == {}
    assert eu.causal_buffer.missing(eu.vector) == {US: 1}
    assert sink.receive(Ops(encoded(us)[:1]), 0) == [OpsReceived("r1", 2)]


def test_truncated_backlog_is_reported() -> None:
    sink = sink_in_state(S.RESUMING)
    assert sink.receive(Truncated(), 0) == [SnapshotWanted("r1")]
    assert sink.tally.partial_err == 1
    sink.load()
    assert drain(sink) == [SnapshotRequest()]
    assert sink.receive(Truncated(), 0) == []
    assert sink.receive(Resumed(), 0) == []
    assert sink.state is S.LOADING


def test_snapshot_is_merged_when_it_is_whole() -> None:
    us, eu = replica(1, history_bytes=1), replica(2)
    write(us, 3)
    sink = sink_in_state(S.WAITING, eu)
    sink.load()
    drain(sink)
    whole = pieces(us)
    for frame in whole[:-1]:
        assert sink.receive(frame, 0) == []
        assert eu.vector == {}
    assert sink.receive(whole[-1], 7) == [Merged("r1"), Resynced("r1", Direction.IN, True)]
    assert eu.vector == {US: 3}
    assert sink.tally.full == 1
    size = sum(len(frame.data) for frame in of(SnapshotPiece, whole))
    assert drain(sink) == [Ack({US: 3}, size, 0, 7, 0, 7)]
    assert sink.state is S.STREAMING


def test_piece_in_parts_is_put_together() -> None:
    us, eu = replica(1), replica(2)
    write(us)
    sink = sink_in_state(S.LOADING, eu)
    sink.incoming = None
    for frame in pieces(us):
        if isinstance(frame, SnapshotPiece):
            sink.receive(SnapshotPiece(frame.data[:9], False), 0)
            sink.receive(SnapshotPiece(frame.data[9:], True), 0)
        else:
            sink.receive(frame, 0)
    assert eu.vector == {US: 1}


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (SnapshotBegin({}), "a snapshot inside another"),
        (SnapshotPiece(b"x", True), "SnapshotPiece: "),
    ],
)
def test_snapshot_that_makes_no_sense(frame: Frame, why: str) -> None:
    sink = sink_in_state(S.LOADING)
    with pytest.raises(RemoteProtocolError, match=why):
        sink.receive(frame, 0)


@pytest.mark.parametrize("frame", [SnapshotPiece(b"x", True), SnapshotEnd()])
def test_snapshot_that_has_not_begun(frame: Frame) -> None:
    sink = sink_in_state(S.LOADING)
    sink.incoming = None
    with pytest.raises(RemoteProtocolError, match="outside a snapshot"):
        sink.receive(frame, 0)


def test_snapshot_ends_row_of_stalls() -> None:
    us, eu = replica(1, history_bytes=1), replica(2)
    write(us)
    sink = sink_in_state(S.WAITING, eu)
    sink.stalls = STALLS_MAX
    sink.load()
    for frame in pieces(us):
        sink.receive(frame, 0)
    assert sink.stalls == 0


def test_snapshot_that_was_cut_off_changes_nothing() -> None:
    us, eu = replica(1), replica(2)
    write(us)
    sink = sink_in_state(S.WAITING, eu)
    sink.load()
    for frame in [*pieces(us)[:2], SnapshotEnd()][:2]:
        sink.receive(frame, 0)
    with pytest.raises(RemoteProtocolError, match="cut off"):
        sink.receive(SnapshotEnd(), 0)
    assert eu.vector == {}


def test_ops_that_came_before_snapshot_are_taken_in() -> None:
    us, eu = replica(1), replica(2)
    write(us, 2)
    sink = sink_in_state(S.STREAMING, eu)
    sink.load()
    assert sink.receive(Ops(encoded(us)[1:]), 0) == [OpsReceived("r1", 0)], "it waits"
    assert sink.receive(Ops(encoded(us)[:1]), 0) == [OpsReceived("r1", 2)]
    assert sink.state is S.LOADING


def test_heartbeat_is_report_and_carries_those_of_others() -> None:
    sink = sink_in_state(S.STREAMING)
    frame = Heartbeat({US: 3}, 70, ((3, {US: 1}, 60),), 5, 1 * MS, 2 * MS)
    assert sink.receive(frame, 10 * MS) == [
        Reported("r1", 1, {US: 3}, 70),
        Reported("r1", 3, {US: 1}, 60),
    ]
    assert sink.rtt == 7 * MS
    assert sink.behind() == 3
    sink.tick(sink.deadline)
    assert of(Ack, drain(sink))[0].echo == 5


def test_late_ops_have_age_of_their_heartbeat() -> None:
    us, eu = replica(1), replica(2)
    write(us, 1)
    sink = sink_in_state(S.STREAMING, eu)
    start = 1 + 40 * MS
    sink.receive(Heartbeat({US: 1}, 0, (), 0, 1, 0), start)
    sink.receive(Ops(encoded(us)), start + 2 * SECOND)  # there may be news that is as late
    assert sink.lag_ns(start + 2 * SECOND) == 2 * SECOND + 20 * MS


def test_lag_is_half_round_trip_or_time_behind() -> None:
    us, eu = replica(1), replica(2)
    write(us, 2)
    sink = sink_in_state(S.STREAMING, eu)
    sink.receive(Heartbeat({}, 0, (), 0, 1, 0), 1 + 40 * MS)
    start = 1 + 40 * MS
    assert sink.lag_ns(start + 100 * MS) == 20 * MS
    sink.receive(Heartbeat({US: 2, EU: 9}, 0, (), 200 * MS, 0, 0), start + 200 * MS)
    assert not sink.age.is_covered
    assert sink.lag_ns(start + 300 * MS) == 320 * MS
    sink.receive(Ops(encoded(us)[:1]), start + 310 * MS)
    assert not sink.age.is_covered
    sink.receive(Ops(encoded(us)[1:]), start + 320 * MS)
    assert sink.lag_ns(start + 330 * MS) == 20 * MS
    assert sink.lag_ns(start + 2 * SECOND) > SECOND, "a peer that is silent may have moved on"
    statistics = sink.statistics(start + 330 * MS)
    assert (statistics.lag_ns, statistics.behind, statistics.asked) == (20 * MS, 0, frozenset())


def test_sink_catches_up_once() -> None:
    us, ap, eu = replica(1), replica(3), replica(2)
    write(us, 2)
    write(ap)
    sink = make_sink(eu)
    sink.receive(hello(1, {US: 2, AP: 1}), 0)
    sink.receive(Resumed(), 0)
    assert sink.receive(Ops(encoded(us)), 0) == [OpsReceived("r1", 2)]
    assert of(CaughtUp, sink.receive(Heartbeat({US: 2, AP: 1}, 0), 0)) == []
    eu.accept(ap.since({})[0])
    assert of(CaughtUp, sink.receive(Heartbeat({US: 3, AP: 2}, 0), 0)) == [CaughtUp("r1")]
    assert of(CaughtUp, sink.receive(Heartbeat({US: 3, AP: 2}, 0), 0)) == []


def test_gap_requests_are_made_and_withdrawn() -> None:
    sink = sink_in_state(S.STREAMING)
    sink.fill(EU, 3, 0)
    assert drain(sink) == [GapRequest(EU, 3)]
    sink.unfill(EU)
    sink.unfill(EU)
    assert drain(sink) == [GapEnd(EU)]
    sink.fill(EU, 3, 0)
    assert sink.receive(GapRefused(EU), 0) == [GapUnfilled("r1", EU)]
    assert sink.asked == frozenset()


@pytest.mark.parametrize("frame", [hello(1, {EU: 1}), Heartbeat({EU: 1}, 0)])
def test_unknown_own_effects_are_reported_once(frame: Frame) -> None:
    sink = sink_in_state(S.AWAITING_HELLO if isinstance(frame, Hello) else S.STREAMING)
    assert sink.receive(frame, 0)[1:] == [OriginReused("r1", EU)]
    sink.state = S.STREAMING
    assert len(sink.receive(Heartbeat({EU: 1}, 0), 0)) == 1


def test_op_of_our_own_that_we_did_not_make_ends_link() -> None:
    earlier = replica(2)
    write(earlier)
    sink = sink_in_state(S.STREAMING)
    events = sink.receive(Ops(encoded(earlier)), 0)
    assert events[0] == OriginReused("r1", EU)
    assert isinstance(events[1], Closed)


def test_snapshot_with_unknown_own_writes_ends_link() -> None:
    earlier = replica(2)
    write(earlier)
    sink = sink_in_state(S.WAITING)
    sink.load()
    events = [event for frame in pieces(earlier) for event in sink.receive(frame, 0)]
    assert events[0] == OriginReused("r1", EU)
    assert sink.closed
    assert sink.incoming is None


def test_acknowledgements_are_sent_in_time() -> None:
    limits = Limits()
    sink = sink_in_state(S.STREAMING)
    assert sink.deadline == limits.heartbeat_ns
    sink.tick(limits.heartbeat_ns)
    assert len(of(Ack, drain(sink))) == 1
    assert sink.tick(limits.silence_ns_max) == [Closed("r1", Direction.IN, "silent for 5000 ms")]
    assert drain(sink) == [Refuse("silent for 5000 ms")]
    assert sink.deadline == NEVER
    assert sink.tick(limits.silence_ns_max) == []


def test_silent_source_is_closed() -> None:
    sink = make_sink(replica(2))
    assert sink.deadline == Limits().silence_ns_max
    assert sink.tick(sink.deadline - 1) == []
    assert of(Ack, drain(sink)) == []
    assert sink.tick(sink.deadline) == [Closed("r1", Direction.IN, "silent for 5000 ms")]


@pytest.mark.parametrize("frame", [ConvergenceRequest(US, 7, 1, {}), ConvergenceReply(US, 7, True)])
def test_convergence_frames_become_events(frame: ConvergenceRequest | ConvergenceReply) -> None:
    sink = sink_in_state(S.STREAMING, replica(2))
    assert sink.receive(frame, 0) == [ConvergenceReceived("r1", frame)]


def test_both_ends_together_bring_everything_over() -> None:
    us, eu = replica(1), replica(2)
    write(us, 50, size=30)
    limits = Limits(window_bytes_max=100, batch_bytes_max=50, ack_bytes=50)
    source, sink = joined(us, eu, limits)
    assert eu.vector == us.vector
    write(us, 5)
    exchange(source, sink)
    assert eu.digest() == us.digest()
    assert sink.behind() == 0
    assert source.hello == attrs.evolve(hello(2))
    assert sink.hello is not None
    assert sink.hello.origin == make_origin(1)


def test_twins_of_another_region_end_link_only() -> None:
    one, other, eu = replica(1), replica(1), replica(2)
    write(one)
    write(other, size=2)
    sink = sink_in_state(S.STREAMING, eu)
    sink.receive(Ops(encoded(one)), 0)
    events = sink.receive(Ops(encoded(other)), 0)
    assert of(OriginReused, events) == []
    assert sink.closed
    assert str(eu.string("k0").get()) == "v"
