"""The backlog: bounded, in causal order, and exact about what it has dropped."""

from __future__ import annotations

from random import Random

import pytest

from crdt import HistoryTruncated, Op
from crdt.causality.dots import Vector
from crdt.causality.op_log import DROPS_MAX, ENTRY_BYTES, OpLog, nothing_pinned

SIZE = len(Op(1, 1, 0, {}, ((2, 0, b"k", b"a"),)).to_bytes()) + ENTRY_BYTES


def op(origin: int, first: int, effects: int = 1) -> Op:
    return Op(origin, first, 0, {}, ((2, 0, b"k", b"a"),) * effects)


def history(count: int, keep: int = 100) -> OpLog:
    """Return a history of `count` operations of origin 1 that keeps about the last `keep` of
    them."""
    made = OpLog(keep * (SIZE + 2))
    for seq in range(1, count + 1):
        made.append(op(1, seq))
    return made


def test_since_gives_what_is_missing() -> None:
    made = history(3)
    made.append(op(2, 1, effects=3))
    assert made.since({1: 1}) == [op(1, 2), op(1, 3), op(2, 1, effects=3)]
    assert made.since({1: 3, 2: 3}) == []
    assert made.stop == 4


def test_reader_behind_log_gets_error() -> None:
    made = history(10, keep=4)
    assert made.start == 6
    assert made.indexed_count() == 4
    assert made.bytes <= made.limit
    with pytest.raises(HistoryTruncated, match="wanted operation 4"):
        made.since({1: 3})
    assert not made.reaches({1: 5})
    assert made.reaches({1: 6})
    assert made.since({1: 6}) == [op(1, seq) for seq in range(7, 11)]


def test_latest_is_always_kept() -> None:
    made = OpLog(1)
    made.append(op(1, 1, effects=50))
    assert made.since({}) == [op(1, 1, effects=50)]


def test_space_of_dropped_ops_is_used_again() -> None:
    made = history(5000, keep=10)
    assert len(made.ops.data) < 2100
    assert made.start == 5000 - len(made.ops)


def test_snapshot_raises_floor_of_its_origins() -> None:
    made = history(3)
    made.append(op(2, 1))
    made.jump({1: 3, 2: 1}, {1: 3, 2: 9})
    assert made.jumps == 1
    assert made.reaches({1: 0, 2: 9})
    assert not made.reaches({1: 3, 2: 8})
    assert made.since({2: 9}) == [op(1, 1), op(1, 2), op(1, 3)]


def test_history_can_be_forgotten() -> None:
    made = history(3)
    made.forget({1: 3})
    assert made.since({1: 3}) == []
    assert made.last == {1: 3}
    assert made.start == made.stop == 3
    assert made.bytes == 0
    assert not made.reaches({})


def test_link_reads_by_position() -> None:
    made = history(10, keep=6)
    position = made.locate({1: 7}, lambda origin: True)
    assert [(first, last) for _, first, last, _ in made.read(position, 2)] == [(8, 8), (9, 9)]
    assert made.locate({1: 10}, lambda origin: True) == made.stop
    assert made.locate({}, lambda origin: origin == 2) == made.stop
    assert made.locate({}, lambda origin: True) == made.start
    assert made.read(made.start, 1)[0][3] == op(1, 5).to_bytes()


def test_dropped_ops_take_no_memory() -> None:
    """A thousand operations of a megabyte each are a gigabyte."""
    made = history(1000, keep=4)
    assert sum(len(data) for data in made.ops.data) <= made.bytes


def test_position_is_that_of_oldest_it_lacks() -> None:
    made = OpLog()
    for origin, seq in ((1, 1), (2, 1), (1, 2), (2, 2)):
        made.append(op(origin, seq))
    assert made.locate({1: 1, 2: 2}, lambda origin: True) == 2
    assert made.locate({1: 2, 2: 0}, lambda origin: True) == 1


def test_floor_never_falls() -> None:
    kept = OpLog(0)
    kept.append(op(1, 1))
    kept.jump({1: 1}, {1: 9})
    kept.append(op(1, 10))
    assert kept.start == 1
    assert kept.floor == {1: 9}


def oldest_lacking(kept: OpLog, vector: Vector, wanted: set[int]) -> int:
    """Return the result of `locate`, computed from all operations."""
    for position in range(kept.start, kept.stop):
        origin, _, last, _ = kept.read(position, 1)[0]
        if origin in wanted and last > vector.get(origin, 0):
            return position
    return kept.stop


@pytest.mark.parametrize("seed", range(20))
def test_reader_begins_at_oldest_operation_that_it_lacks(seed: int) -> None:
    rng = Random(seed)
    kept = OpLog(20 * SIZE)
    seqs: dict[int, int] = dict.fromkeys((1, 2, 3), 0)
    for _ in range(60):
        origin, effects = rng.randint(1, 3), rng.randint(1, 4)
        kept.append(op(origin, seqs[origin] + 1, effects))
        seqs[origin] += effects
        vector = {o: rng.randint(kept.floor.get(o, 0), seq) for o, seq in seqs.items()}
        wanted = {o for o in seqs if rng.random() < 0.7}
        assert kept.locate(vector, wanted.__contains__) == oldest_lacking(kept, vector, wanted)


def test_journal_gets_each_operation_however_little_is_kept() -> None:
    kept = OpLog(0)
    kept.append(op(1, 1))
    kept.begin_journal()
    kept.append(op(1, 2))
    kept.append(op(2, 1))
    assert kept.unjournaled_ops() == [op(1, 2).to_bytes(), op(2, 1).to_bytes()]
    kept.record_journaled_ops(1)
    assert kept.unjournaled_ops() == [op(2, 1).to_bytes()]
    assert not kept.is_journaled()
    kept.end_journal()
    kept.append(op(2, 2))
    kept.record_journaled_ops(1)
    assert kept.unjournaled_ops() == []
    assert kept.is_journaled()


@pytest.mark.parametrize("way", ["jump", "forget"])
def test_journal_gets_state_where_operations_do_not_lead(way: str) -> None:
    kept = OpLog()
    kept.append(op(1, 1))

    def move() -> None:
        if way == "jump":
            kept.jump({1: 1}, {1: 1, 2: 5})
        else:
            kept.forget({2: 5})

    move()
    assert not kept.needs_state_journaled(), "there is no journal"
    kept.begin_journal()
    kept.append(op(3, 1))
    move()
    kept.append(op(3, 2))
    assert kept.needs_state_journaled()
    assert not kept.is_journaled()
    assert kept.unjournaled_ops() == [], "the state includes them"
    kept.record_journaled_state()
    assert kept.is_journaled()
    kept.append(op(3, 3))
    assert kept.unjournaled_ops() == [op(3, 3).to_bytes()]
    move()
    kept.end_journal()
    assert kept.is_journaled()


def test_pinned_operations_are_kept_up_to_second_limit() -> None:
    history = OpLog(1)
    history.append(op(1, 1))
    size = history.bytes
    history.pinned_limit = 4 * size
    history.pinned_from = lambda: 1
    for seq in (2, 3, 4):
        history.append(op(1, seq))
    assert (history.start, history.stop) == (1, 4), "the first is not needed"
    for seq in (5, 6):
        history.append(op(1, seq))
    assert (history.start, history.stop) == (2, 6), "there is no room for more"
    assert history.appended_bytes == 6 * size
    history.pinned_from = nothing_pinned
    history.trim()
    assert (history.start, history.stop) == (5, 6)


def test_one_call_drops_a_bounded_number() -> None:
    history = OpLog(1 << 30)
    for seq in range(1, DROPS_MAX + 10):
        history.append(op(1, seq))
    history.resize(1)
    history.trim()
    assert history.start == DROPS_MAX
    history.trim()
    assert history.stop - history.start == 1


def test_a_smaller_limit_holds_from_the_next_operation_on() -> None:
    history = OpLog(1 << 20)
    for seq in (1, 2, 3):
        history.append(op(1, seq))
    history.resize(1)
    assert history.stop - history.start == 3
    history.append(op(1, 4))
    assert history.stop - history.start <= 1


def test_ceiling_bounds_every_limit_until_it_is_removed() -> None:
    history = OpLog(1 << 20)
    history.cap(1000)
    assert history.limit == 1000
    history.resize(5000)
    assert history.limit == 1000
    history.resize(400)
    assert history.limit == 400
    history.resize(5000)
    history.cap(None)
    assert history.limit == 5000
