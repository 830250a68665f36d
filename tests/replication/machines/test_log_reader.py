"""Reading the history for all links at once."""

from __future__ import annotations

import pytest

from replication.machines.endpoint import nobody
from replication.machines.log_reader import BATCHES_MAX, Feed, in_frames
from replication.protocol.frames import OpPart, Ops
from replication.protocol.limits import Limits
from tests.replication.ends import EU, US, hello, member, replica, write

ROOM = Limits().batch_bytes_max


def feed_of(count: int, limits: Limits | None = None) -> Feed:
    """A feed of region 1 with `count` ops of one effect."""
    here = replica(1)
    write(here, count)
    return Feed(here, member(1), limits or Limits())


def test_two_links_share_one_batch() -> None:
    feed = feed_of(3)
    routes = frozenset({1})
    batch = feed.read(0, routes, ROOM)
    assert feed.read(0, routes, ROOM) is batch
    assert (batch.ops, batch.stop, batch.first, batch.last) == (3, 3, {US: 1}, {US: 3})
    assert feed.read(1, routes, ROOM).ops == 2


def test_batch_that_was_read_at_end_grows_with_history() -> None:
    feed = feed_of(1)
    assert feed.read(0, None, ROOM).ops == 1
    write(feed.replica)
    assert feed.read(0, None, ROOM).ops == 2


def test_full_batch_stays_what_it_is() -> None:
    feed = feed_of(3)
    batch = feed.read(0, None, 60)
    assert batch.full
    assert 0 < batch.ops < 3
    write(feed.replica)
    assert feed.read(0, None, 60) is batch
    assert feed.read(0, None, ROOM).ops == 4


def test_one_call_looks_at_so_many_ops() -> None:
    feed = feed_of(5, Limits(scan_ops_max=2))
    batch = feed.read(0, frozenset({2}), ROOM)
    assert (batch.ops, batch.stop, batch.full, batch.frames) == (0, 2, True, ())


def test_single_origins_and_what_is_already_there() -> None:
    feed = feed_of(2)
    other = replica(2)
    write(other, 3)
    for op in other.since({}):
        feed.replica.accept(op)
    batch = feed.gather(0, frozenset({1}), ROOM, frozenset({EU}), {US: 2, EU: 1})
    assert (batch.ops, batch.first, batch.last) == (2, {EU: 2}, {EU: 3})


def test_shared_batches_are_bounded() -> None:
    feed = feed_of(1)
    for region in range(BATCHES_MAX + 2):
        feed.read(0, frozenset({region}), ROOM)
    assert len(feed.batches) == 2


def test_batch_whose_ops_history_has_dropped_is_not_kept() -> None:
    """Each link reads with room of its own, so the batch of a large op was not replaced."""
    feed = Feed(replica(1, history_bytes=1000), member(1), Limits())
    write(feed.replica, size=5000)
    assert feed.read(0, None, ROOM).bytes > 5000
    write(feed.replica)
    assert feed.history.start == 1
    feed.read(1, None, 50)
    assert [batch.position for batch in feed.batches.values()] == [1]


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
    assert feed_of(2).hello() == hello(1, {US: 2})


def test_turns_are_counted() -> None:
    feed = feed_of(1, Limits(snapshots_max=1))
    rung: list[int] = []

    def ring() -> None:
        rung.append(1)

    snapshot = feed.take_turn(ring)
    assert snapshot is not None
    assert feed.take_turn(ring) is None
    assert feed.take_turn(ring) is None
    feed.end_turn(snapshot)
    assert rung == [1]
    assert feed.replica.keyspace.readers == []


@pytest.mark.parametrize(
    ("limits", "count"), [(Limits(piece_keys_max=2), 3), (Limits(piece_bytes_max=1), 6)]
)
def test_pieces_of_snapshot_hold_as_much_as_limits_say(limits: Limits, count: int) -> None:
    feed = feed_of(1, limits)
    for key in "abcde":
        feed.replica.set(key).add("m")
    snapshot = feed.take_turn(nobody)
    assert snapshot is not None
    head, *pieces, end = snapshot
    assert len(pieces) == count
    assert head != end
