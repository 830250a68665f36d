"""A source's position in the history."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.causality.op import Op
from replication.machines.sending.cursor import Cursor
from replication.machines.sending.log_reader import CutOp, LogReader
from replication.protocol.limits import Limits
from tests.crdt.exchange import deliver_to
from tests.replication.ends import EU, US, member, replica, write

BATCH_BYTES = 1000


def make_cursor(here: Replica, refused: list[int] | None = None) -> Cursor:
    """Return a cursor that adds the origins that it refuses to `refused`."""
    reader = LogReader(here, member(here.region), Limits())
    refusals: list[int] = [] if refused is None else refused
    return Cursor(reader, refusals.append)


def holding_both() -> tuple[Replica, Replica]:
    """Return a replica of region 1 with two ops each of regions 1 and 2, and that of region 2."""
    here, other = replica(1), replica(2)
    write(here, 2)
    write(other, 2)
    deliver_to(other, here)
    return here, other


def dots_of(cursor: Cursor) -> list[tuple[int, int]]:
    """Return the first dot of each op in the next batch."""
    batch = cursor.next_batch(BATCH_BYTES)
    assert batch is not None
    assert not isinstance(batch.frames, CutOp)
    ops = [Op.from_bytes(data) for frame in batch.frames for data in frame.batch]
    return [(op.origin, op.first) for op in ops]


@pytest.mark.parametrize(
    ("routes", "dots"),
    [
        (frozenset({1}), [(US, 2)]),
        (frozenset({2}), [(EU, 1), (EU, 2)]),
        (None, [(US, 2), (EU, 1), (EU, 2)]),
    ],
)
def test_resumed_cursor_reads_what_sink_lacks(
    routes: frozenset[int] | None, dots: list[tuple[int, int]]
) -> None:
    here, _ = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({US: 1}, routes)
    assert cursor.has_more()
    assert not cursor.is_at_goal()
    assert dots_of(cursor) == dots
    assert cursor.is_at_goal()
    assert not cursor.has_more()
    assert cursor.wanted_part(here.vector) == {
        origin: 2 for origin, region in ((US, 1), (EU, 2)) if routes is None or region in routes
    }


def test_cursor_resumes_only_where_history_reaches_back() -> None:
    here = replica(1, history_bytes=1)
    write(here, 3)
    cursor = make_cursor(here)
    assert not cursor.resume({US: 1}, frozenset({1}))
    assert cursor.resume({US: 1}, frozenset({2}))
    assert cursor.resume({US: 3}, frozenset({1}))


def test_cursor_behind_history_has_no_batch() -> None:
    here = replica(1, history_bytes=400)
    cursor = make_cursor(here)
    assert cursor.resume({}, frozenset({1}))
    write(here, 5, size=100)
    assert not cursor.is_kept()
    assert cursor.next_batch(BATCH_BYTES) is None
    assert cursor.resume({}, frozenset({2}))
    cursor.position = 0
    assert dots_of(cursor) == []
    assert cursor.position == here.history.stop


def test_acknowledged_ops_are_not_read_again() -> None:
    here, _ = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({}, None)
    cursor.acknowledge({US: 1, EU: 2})
    cursor.acknowledge({US: 0})
    assert dots_of(cursor) == [(US, 2)]


def test_gap_is_read_until_it_ends() -> None:
    here, other = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({US: 2}, frozenset({1}))
    assert not cursor.has_more()
    assert cursor.fill_gap(EU, 1)
    assert cursor.has_more()
    assert cursor.has_gaps()
    assert dots_of(cursor) == [(EU, 2)]
    assert cursor.has_gaps()
    write(other)
    deliver_to(other, here)
    assert dots_of(cursor) == [(EU, 3)]
    cursor.end_gap(EU)
    assert not cursor.has_gaps()


def test_gap_in_routes_only_moves_cursor_back() -> None:
    here, _ = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({US: 2}, frozenset({1}))
    assert cursor.fill_gap(US, 1)
    assert dots_of(cursor) == [(US, 2)]
    assert not cursor.has_gaps()


def test_gap_that_history_does_not_hold_is_not_filled() -> None:
    here, other = replica(1), replica(2)
    write(other)
    cursor = make_cursor(here)
    assert not cursor.fill_gap(EU, 0)
    here.merge(other.snapshot())
    assert not cursor.fill_gap(EU, 0)
    assert cursor.fill_gap(EU, 1)


def test_gap_lost_by_merge_is_refused() -> None:
    here, other = holding_both()
    refused: list[int] = []
    cursor = make_cursor(here, refused)
    assert cursor.resume({US: 2}, frozenset({1}))
    assert cursor.fill_gap(EU, 0)
    write(other)
    here.merge(other.snapshot())
    assert dots_of(cursor) == []
    assert refused == [EU]
    assert not cursor.has_gaps()


def test_batch_without_wanted_ops_is_skipped() -> None:
    here, other = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({US: 2}, frozenset({1}))
    write(other)
    deliver_to(other, here)
    assert cursor.has_more()
    assert cursor.skip_batch(BATCH_BYTES)
    assert not cursor.has_more()
    write(here)
    assert not cursor.skip_batch(BATCH_BYTES)
    assert dots_of(cursor) == [(US, 3)]


def test_hole_of_merged_snapshot_is_not_skipped() -> None:
    here, other = replica(1), replica(2)
    cursor = make_cursor(here)
    assert cursor.resume({}, frozenset({2}))
    write(other)
    here.merge(other.snapshot())
    assert cursor.has_more()
    assert not cursor.skip_batch(BATCH_BYTES)
    assert cursor.next_batch(BATCH_BYTES) is None


def test_snapshot_moves_cursor_to_its_end() -> None:
    here, _ = holding_both()
    cursor = make_cursor(here)
    assert cursor.resume({}, None)
    assert cursor.fill_gap(EU, 0)
    cursor.begin_snapshot(here.vector)
    assert not cursor.has_more()
    write(here)
    cursor.end_snapshot()
    assert not cursor.is_at_goal()
    assert dots_of(cursor) == [(US, 3)]
