"""The source when its backlog runs out: snapshots, overruns, holes, and gaps of the sink."""

from __future__ import annotations

from replication.machines.progress import Stage
from replication.machines.source import Source, SourceState
from replication.protocol.frames import (
    Ack,
    Eof,
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
from tests.crdt.exchange import tell
from tests.replication.ends import (
    EU,
    US,
    drain,
    greeted_source,
    hello,
    make_source,
    of,
    replica,
    write,
)

S = SourceState
SMALL = Limits(window_bytes_max=100, batch_bytes_max=50)


def test_backlog_that_does_not_reach_is_said_to() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    source = greeted_source(here)
    assert source.state is S.TRUNCATED
    assert drain(source)[2:] == [Truncated()]
    assert not source.ready
    assert source.tally.partial_err == 1
    source.receive(Resume({US: 3}, (1,)), 0)
    assert source.state is S.SENDING


def test_snapshot_is_followed_by_what_was_written_meanwhile() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    source = greeted_source(here)
    drain(source)
    source.receive(SnapshotRequest(), 0)
    assert source.progress.stage is Stage.SNAPSHOT
    assert source.frames_to_send() == [SnapshotBegin({US: 3})]
    write(here)
    said = drain(source)
    assert [type(frame) for frame in said[-2:]] == [SnapshotEnd, Ops]
    there = replica(2)
    there.merge([piece.data for piece in of(SnapshotPiece, said)])
    assert there.vector == {US: 3}
    assert source.tally.full == 1
    assert source.progress.stage is Stage.STREAMING
    assert source.sent == {US: 4}
    assert source.log_reader.sending == 0


def test_pieces_are_cut_to_size_and_wait_for_window() -> None:
    here = replica(1, history_bytes=1)
    write(here, 30, size=40)
    source = greeted_source(here, SMALL)
    drain(source)
    source.receive(SnapshotRequest(), 0)
    said = drain(source)
    assert source.state is S.SNAPSHOT
    assert not source.ready
    while source.state is S.SNAPSHOT:
        source.receive(Ack({}, source.given), 0)
        said += drain(source)
    parts = of(SnapshotPiece, said)
    assert max(len(part.data) for part in parts) <= SMALL.batch_bytes_max
    assert sum(part.last for part in parts) == 3


def test_only_some_snapshots_are_sent_at_time() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    limits = Limits(snapshots_max=1)
    first = greeted_source(here, limits)
    second = Source(first.log_reader, 0)
    second.receive(hello(3), 0)
    second.receive(Resume({}, (1,)), 0)
    for source in (first, second):
        drain(source)
        source.receive(SnapshotRequest(), 0)
    assert first.frames_to_send() == [SnapshotBegin({US: 3})]
    assert not second.ready
    assert second.frames_to_send() == second.frames_to_send() == []
    woken: list[str] = []
    second.notify = lambda: woken.append("second")
    first.receive(Eof(), 0)
    assert woken == ["second"]
    assert second.frames_to_send() == [SnapshotBegin({US: 3})]


def test_overrun_while_streaming_is_noticed() -> None:
    here = replica(1, history_bytes=300)
    source = greeted_source(here, SMALL)
    write(here, 5, size=60)
    source.sent = {}
    source.cursor = 0
    assert source.skip()
    assert Truncated() in drain(source)
    assert source.state is S.TRUNCATED


def test_overrun_of_what_sink_does_not_want_is_none() -> None:
    here, other = replica(1, history_bytes=300), replica(2)
    source = greeted_source(here)
    write(other, 5, size=60)
    for op in other.since({}):
        here.accept(op)
    write(here)
    assert len(of(Ops, drain(source))) == 1
    assert source.state is S.SENDING


def test_snapshot_that_was_merged_here_leaves_hole_for_sink() -> None:
    here, other = replica(1), replica(2)
    source = greeted_source(here, routes=(1, 2))
    drain(source)
    write(other)
    here.merge(other.snapshot())
    write(here)
    assert source.skip()
    assert of(Truncated, drain(source)) == [Truncated()]


def test_ops_of_other_links_wake_no_source() -> None:
    here, other = replica(1), replica(2)
    source = greeted_source(here, Limits(scan_ops_max=2))
    drain(source)
    write(other, 5)
    for op in other.since({}):
        here.accept(op)
    assert not source.skip()
    assert source.cursor == 5
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
    source = greeted_source(here)
    drain(source)
    source.receive(GapRequest(US, 1), 0)
    assert len(of(Ops, drain(source))[0].batch) == 2
    assert source.extra == frozenset()


def test_gap_that_backlog_cannot_fill_is_refused() -> None:
    here, other = replica(1), replica(2)
    write(other)
    here.merge(other.snapshot())
    source = greeted_source(here)
    drain(source)
    source.receive(GapRequest(EU, 0), 0)
    assert drain(source) == [GapRefused(EU)]
    assert source.extra == frozenset()


def test_gap_that_opens_again_behind_merge_is_refused_and_link_lives_on() -> None:
    here, other = replica(1), replica(2)
    write(other)
    tell(other, here)
    source = greeted_source(here)
    source.receive(GapRequest(EU, 0), 0)
    drain(source)
    write(other)
    here.merge(other.snapshot())
    assert drain(source) == [GapRefused(EU)]
    assert source.state is S.SENDING
    assert source.extra == frozenset()


def test_closed_source_sends_nothing_of_large_op_behind_its_last_frame() -> None:
    here = replica(1)
    write(here, size=1000)
    source = greeted_source(here, Limits(batch_bytes_max=100))
    assert isinstance(source.frames_to_send()[-1], OpPart)
    source.close("tired")
    assert [type(frame) for frame in source.frames_to_send()] == [Refuse]
    assert source.parts == ()
