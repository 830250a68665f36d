"""The source with a truncated backlog: snapshots, overruns, and gaps of the sink."""

from __future__ import annotations

import pytest

from replication.machines.sending.progress import Stage
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.protocol.frames import (
    Ack,
    Eof,
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    OpPart,
    Ops,
    Refuse,
    Resume,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import Limits
from tests.crdt.exchange import deliver_to
from tests.replication.ends import (
    EU,
    US,
    connected_source,
    drain,
    hello,
    make_source,
    of,
    replica,
    write,
)

S = SourceState
SMALL = Limits(window_bytes_max=100, batch_bytes_max=50)


def test_truncated_backlog_sends_truncated() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    source = connected_source(here)
    assert source.state is S.TRUNCATED
    assert drain(source)[2:] == [Truncated()]
    assert not source.ready
    assert source.tally.partial_err == 1
    source.receive(Resume({US: 3}, (1,)), 0)
    assert source.state is S.SENDING


def test_snapshot_is_followed_by_what_was_written_meanwhile() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    source = connected_source(here)
    drain(source)
    source.receive(SnapshotRequest(), 0)
    assert source.progress.stage is Stage.SNAPSHOT
    assert source.frames_to_send() == [SnapshotBegin({US: 3})]
    write(here)
    output = drain(source)
    assert [type(frame) for frame in output[-2:]] == [SnapshotEnd, Ops]
    there = replica(2)
    there.merge([piece.data for piece in of(SnapshotPiece, output)])
    assert there.vector == {US: 3}
    assert source.tally.full == 1
    assert source.progress.stage is Stage.STREAMING
    assert source.cursor.sent == {US: 4}
    assert source.log_reader.sending == 0


def test_pieces_are_cut_to_size_and_wait_for_window() -> None:
    here = replica(1, history_bytes=1)
    write(here, 30, size=40)
    source = connected_source(here, SMALL)
    drain(source)
    source.receive(SnapshotRequest(), 0)
    output = drain(source)
    assert source.state is S.SNAPSHOT
    assert not source.ready
    while source.state is S.SNAPSHOT:
        source.receive(Ack({}, source.sent_bytes), 0)
        output += drain(source)
    parts = of(SnapshotPiece, output)
    assert max(len(part.data) for part in parts) <= SMALL.batch_bytes_max
    assert sum(part.last for part in parts) == 3


def test_only_some_snapshots_are_sent_at_time() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    limits = Limits(snapshots_max=1)
    first = connected_source(here, limits)
    second = Source(first.log_reader, 0)
    second.receive(hello(3), 0)
    second.receive(Resume({}, (1,)), 0)
    for source in (first, second):
        drain(source)
        source.receive(SnapshotRequest(), 0)
    assert first.frames_to_send() == [SnapshotBegin({US: 3})]
    assert drain(second) == [], "it gets into the queue"
    assert not second.ready
    assert second.frames_to_send() == []
    woken: list[str] = []
    second.notify = lambda: woken.append("second")
    first.receive(Eof(), 0)
    assert woken == ["second"]
    assert second.frames_to_send() == [SnapshotBegin({US: 3})]


def test_overrun_while_streaming_is_noticed() -> None:
    here = replica(1, history_bytes=300)
    source = connected_source(here, SMALL)
    write(here, 5, size=60)
    source.cursor.sent = {}
    source.cursor.position = 0
    assert source.skip()
    assert Truncated() in drain(source)
    assert source.state is S.TRUNCATED


def test_overrun_of_unwanted_ops_is_ignored() -> None:
    here, other = replica(1, history_bytes=300), replica(2)
    source = connected_source(here)
    write(other, 5, size=60)
    for op in other.since({}):
        here.accept(op)
    write(here)
    assert len(of(Ops, drain(source))) == 1
    assert source.state is S.SENDING


def test_snapshot_that_was_merged_here_leaves_hole_for_sink() -> None:
    here, other = replica(1), replica(2)
    source = connected_source(here, routes=(1, 2))
    drain(source)
    write(other)
    here.merge(other.snapshot())
    write(here)
    assert source.skip()
    assert of(Truncated, drain(source)) == [Truncated()]


def test_ops_of_other_links_wake_no_source() -> None:
    here, other = replica(1), replica(2)
    source = connected_source(here, Limits(scan_ops_max=2))
    drain(source)
    write(other, 5)
    for op in other.since({}):
        here.accept(op)
    assert not source.skip()
    assert source.cursor.position == 5
    write(here)
    assert source.skip()
    assert source.found
    assert source.skip()


def test_gap_is_filled_and_kept_filled() -> None:
    here, other = replica(1), replica(2)
    write(other, 3)
    for op in other.since({}):
        here.accept(op)
    source = make_source(here)
    source.receive(hello(3), 0)
    source.receive(Resume({US: 0}, (1,)), 0)
    drain(source)
    source.receive(GapRequest(EU, 1), 0)
    assert len(of(Ops, drain(source))[0].batch) == 2
    write(other)
    for op in other.since({EU: 3}):
        here.accept(op)
    assert source.skip()
    assert len(of(Ops, drain(source))[0].batch) == 1
    source.receive(GapEnd(EU), 0)
    write(other)
    for op in other.since({EU: 4}):
        here.accept(op)
    assert not source.skip()


def test_gap_in_its_own_routes_is_sent_again() -> None:
    here = replica(1)
    write(here, 3)
    source = connected_source(here)
    drain(source)
    source.receive(GapRequest(US, 1), 0)
    assert len(of(Ops, drain(source))[0].batch) == 2
    assert source.cursor.extra == frozenset()


def test_gap_that_backlog_cannot_fill_is_refused() -> None:
    here, other = replica(1), replica(2)
    write(other)
    here.merge(other.snapshot())
    source = connected_source(here)
    drain(source)
    source.receive(GapRequest(EU, 0), 0)
    assert drain(source) == [GapRefused(EU)]
    assert source.cursor.extra == frozenset()


@pytest.mark.parametrize("origin", [US, EU])
def test_gap_whose_ops_were_dropped_is_not_filled(origin: int) -> None:
    here, other = replica(1, history_bytes=4000), replica(2)
    write(other, 2)
    write(here, 2)
    deliver_to(other, here)
    source = connected_source(here, SMALL)
    drain(source)
    source.receive(Ack({}, source.sent_bytes), 0)
    write(here, 2, size=200)
    drain(source)
    assert source.in_flight >= SMALL.window_bytes_max
    source.receive(GapRequest(origin, 0), 0)
    while here.history.floor.keys() < {US, EU}:
        assert here.history.start < source.cursor.position
        write(here)
    frames: list[Frame] = []
    while source.in_flight:
        source.receive(Ack({}, source.sent_bytes), 0)
        frames += drain(source)
    assert (Truncated() if origin == US else GapRefused(EU)) in frames
    assert source.state is (S.TRUNCATED if origin == US else S.SENDING)


@pytest.mark.parametrize("routes", [(1, 2), None])
def test_gap_that_becomes_route_is_truncated(routes: tuple[int, ...] | None) -> None:
    here, other = replica(1, history_bytes=1), replica(2)
    write(other, 2)
    deliver_to(other, here)
    source = make_source(here)
    source.receive(hello(3), 0)
    source.receive(Resume({EU: 1}, (1,)), 0)
    source.receive(GapRequest(EU, 1), 0)
    assert len(of(Ops, drain(source))) == 1
    source.receive(Resume({}, routes), 0)
    assert drain(source) == [Truncated()]


def test_gap_behind_merge_is_refused_without_closing() -> None:
    here, other = replica(1), replica(2)
    write(other)
    deliver_to(other, here)
    source = connected_source(here)
    source.receive(GapRequest(EU, 0), 0)
    drain(source)
    write(other)
    here.merge(other.snapshot())
    assert drain(source) == [GapRefused(EU)]
    assert source.state is S.SENDING
    assert source.cursor.extra == frozenset()


def test_closed_source_sends_no_further_parts() -> None:
    here = replica(1)
    write(here, size=1000)
    source = connected_source(here, Limits(batch_bytes_max=100))
    assert isinstance(source.frames_to_send()[-1], OpPart)
    source.close("tired")
    assert [type(frame) for frame in source.frames_to_send()] == [Refuse]
    assert source.parts == ()
