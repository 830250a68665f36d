"""Reading the history in batches that links share."""

from __future__ import annotations

from functools import partial

import pytest

from crdt import Replica
from replication.machines.endpoint import nobody
from replication.machines.sending.log_reader import BATCHES_MAX, LogReader, in_frames
from replication.protocol.frames import OpPart, Ops
from replication.protocol.limits import Limits
from tests.replication.ends import EU, US, hello, member, replica, write

ROOM = Limits().batch_bytes_max


def log_reader_of(count: int, limits: Limits | None = None) -> LogReader:
    """Return the log reader of region 1, with `count` ops of one effect."""
    here = replica(1)
    write(here, count)
    return LogReader(here, member(1), limits or Limits())


def test_two_links_share_one_batch() -> None:
    log_reader = log_reader_of(3)
    routes = frozenset({1})
    batch = log_reader.read(0, routes, ROOM)
    assert log_reader.read(0, routes, ROOM) is batch
    assert (batch.ops, batch.stop, batch.first, batch.last) == (3, 3, {US: 1}, {US: 3})
    assert log_reader.read(1, routes, ROOM).ops == 2


def test_batch_that_was_read_at_end_grows_with_history() -> None:
    log_reader = log_reader_of(1)
    assert log_reader.read(0, None, ROOM).ops == 1
    write(log_reader.replica)
    assert log_reader.read(0, None, ROOM).ops == 2


def test_full_batch_is_not_extended() -> None:
    log_reader = log_reader_of(3)
    batch = log_reader.read(0, None, 60)
    assert batch.full
    assert 0 < batch.ops < 3
    write(log_reader.replica)
    assert log_reader.read(0, None, 60) is batch
    assert log_reader.read(0, None, ROOM).ops == 4


def test_one_call_reads_limited_number_of_ops() -> None:
    log_reader = log_reader_of(5, Limits(scan_ops_max=2))
    batch = log_reader.read(0, frozenset({2}), ROOM)
    assert (batch.ops, batch.stop, batch.full, batch.frames) == (0, 2, True, ())


def test_single_origins_and_what_is_already_there() -> None:
    log_reader = log_reader_of(2)
    other = replica(2)
    write(other, 3)
    for op in other.since({}):
        log_reader.replica.accept(op)
    batch = log_reader.gather(0, frozenset({1}), ROOM, frozenset({EU}), {US: 2, EU: 1})
    assert (batch.ops, batch.first, batch.last) == (2, {EU: 2}, {EU: 3})


def test_shared_batches_are_bounded() -> None:
    log_reader = log_reader_of(1)
    for region in range(BATCHES_MAX + 2):
        log_reader.read(0, frozenset({region}), ROOM)
    assert len(log_reader.batches) == 2


def test_batch_whose_ops_history_has_dropped_is_not_kept() -> None:
    """Links start at different positions, so the batch of a large op was once kept for ever."""
    log_reader = LogReader(replica(1, history_bytes=1000), member(1), Limits())
    write(log_reader.replica, size=5000)
    assert log_reader.read(0, None, ROOM).bytes > 5000
    write(log_reader.replica)
    assert log_reader.history.start == 1
    log_reader.read(1, None, 50)
    assert [batch.position for batch in log_reader.batches.values()] == [1]


@pytest.mark.parametrize("size", [50, 51, 100, 101])
def test_large_op_is_cut(size: int) -> None:
    op = bytes(range(size))
    frames = in_frames([op], size, 50)
    if size <= 50:
        assert frames == (Ops((op,)),)
    else:
        parts = [frames[index] for index in range(len(frames))]
        parts = [frame for frame in parts if isinstance(frame, OpPart)]
        assert len(parts) == len(frames)
        assert b"".join(part.data for part in parts) == op
        assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
        assert max(len(part.data) for part in parts) <= 50


def test_log_reader_makes_hello() -> None:
    assert log_reader_of(2).hello() == hello(1, {US: 2})


def test_turns_are_counted() -> None:
    log_reader = log_reader_of(1, Limits(snapshots_max=1))
    rung: list[int] = []

    def ring() -> None:
        rung.append(1)

    snapshot = log_reader.take_turn(ring)
    assert snapshot is not None
    assert log_reader.take_turn(ring) is None
    assert log_reader.take_turn(ring) is None
    log_reader.end_turn(snapshot)
    assert rung == [1]
    assert log_reader.replica.keyspace.readers == []


@pytest.mark.parametrize(
    ("limits", "count"), [(Limits(piece_keys_max=2), 3), (Limits(piece_bytes_max=1), 6)]
)
def test_pieces_of_snapshot_hold_as_much_as_limits_say(limits: Limits, count: int) -> None:
    log_reader = log_reader_of(1, limits)
    for key in "abcde":
        log_reader.replica.set(key).add("m")
    snapshot = log_reader.take_turn(nobody)
    assert snapshot is not None
    head, *pieces, end = snapshot
    assert len(pieces) == count
    assert head != end


def test_snapshot_waits_until_replica_is_settled() -> None:
    log_reader = log_reader_of(1, Limits())
    replica = log_reader.replica
    replica.work_in_slices(1)
    other = Replica(2)
    other.set("s").add("a")
    replica.merge(other.snapshot())
    rung: list[int] = []
    ring = partial(rung.append, 1)
    assert log_reader.take_turn(ring) is None
    assert log_reader.is_waiting(ring)
    while replica.work():
        assert not rung
    assert rung == [1]
    assert not log_reader.is_waiting(ring)
    snapshot = log_reader.take_turn(ring)
    assert snapshot is not None
    log_reader.end_turn(snapshot)
