"""The backlog: bounded, in causal order, and honest about what it no longer has (rule ORD-10)."""

from __future__ import annotations

from random import Random

import pytest

from crdt.dots import Vector
from crdt.errors import HistoryTruncated
from crdt.history import ENTRY_BYTES, History
from crdt.op import Op


def operation(origin: int, first: int, *, effects: int = 1) -> Op:
    return Op(origin, first, 0, {}, ((0x20, b"k", b"m"),) * effects)


SIZE = len(operation(1, 1).to_bytes()) + ENTRY_BYTES


def history(count: int, room: int = 1000) -> History:
    """`count` operations of origin 1, in room for `room` of them."""
    kept = History(room * SIZE)
    for seq in range(1, count + 1):
        kept.append(operation(1, seq))
    return kept


def test_an_asker_gets_what_it_lacks_in_the_order_of_arrival() -> None:
    kept = History()
    made = [operation(2, 1), operation(1, 1, effects=3), operation(2, 2), operation(1, 4)]
    for op in made:
        kept.append(op)
    assert kept.since({}) == made
    assert kept.since({1: 3, 2: 1}) == made[2:]
    assert kept.since({1: 2}) == made
    assert kept.since({1: 4, 2: 2}) == []
    assert kept.read(1, 2) == [(op.origin, op.first, op.last, op.to_bytes()) for op in made[1:3]]
    assert kept.read(4, 9) == []


def test_the_oldest_goes_when_the_room_is_full_and_its_asker_is_told() -> None:
    kept = history(7, room=4)
    assert (kept.start, kept.stop, kept.bytes) == (3, 7, 4 * SIZE)
    assert kept.floor == {1: 3}
    assert not kept.reaches({1: 2})
    assert kept.reaches({1: 3})
    assert [op.first for op in kept.since({1: 3})] == [4, 5, 6, 7]
    with pytest.raises(HistoryTruncated, match="origin 1: wanted operation 3, the oldest kept is"):
        kept.since({1: 2})
    with pytest.raises(AssertionError):
        kept.read(2, 1)


def test_the_latest_is_kept_whatever_its_size() -> None:
    kept = history(3, room=0)
    assert [op.first for op in kept.since({1: 2})] == [3]
    assert kept.bytes == SIZE


def test_what_is_gone_gives_its_room_back() -> None:
    kept = history(5000, room=10)
    assert 4990 <= kept.start < kept.stop == 5000
    assert kept.bytes <= kept.limit
    assert len(kept.ops) < 2100
    assert [first for _, first, _, _ in kept.read(4995, 9)] == list(range(4996, 5001))


def test_a_snapshot_hides_only_the_origins_of_which_it_told_something_new() -> None:
    kept = history(2)
    kept.append(operation(2, 1))
    kept.jump({1: 2, 2: 1}, {1: 2, 2: 8, 3: 4})
    assert kept.floor == {2: 8, 3: 4}
    assert kept.last == {1: 2, 2: 8, 3: 4}
    assert kept.jumps == 1
    assert not kept.reaches({2: 8})
    assert [op.first for op in kept.since({2: 8, 3: 4})] == [1, 2]
    kept.append(operation(2, 9))
    assert [op.origin for op in kept.since({1: 2, 2: 8, 3: 4})] == [2]


def test_a_floor_never_falls() -> None:
    kept = history(3, room=3)
    kept.jump({1: 3}, {1: 9})
    kept.append(operation(1, 10))
    assert kept.start == 1
    assert kept.floor == {1: 9}


def test_what_is_forgotten_is_asked_for_in_vain() -> None:
    kept = history(5, room=3)
    vector = {1: 5, 2: 2}
    kept.forget(vector)
    vector[1] = 0
    assert (kept.start, kept.stop, kept.bytes, kept.jumps) == (5, 5, 0, 1)
    assert not kept.reaches({1: 5, 2: 1})
    assert kept.since({1: 5, 2: 2}) == []
    kept.append(operation(1, 6))
    assert (kept.start, kept.stop) == (5, 6)
    assert [op.first for op in kept.since({1: 5, 2: 2})] == [6]


def oldest_lacking(kept: History, vector: Vector, wanted: set[int]) -> int:
    """What `locate` is, by looking at everything."""
    for position in range(kept.start, kept.stop):
        origin, _, last, _ = kept.read(position, 1)[0]
        if origin in wanted and last > vector.get(origin, 0):
            return position
    return kept.stop


@pytest.mark.parametrize("seed", range(20))
def test_a_reader_begins_at_the_oldest_operation_that_it_lacks(seed: int) -> None:
    rng = Random(seed)
    kept = History(20 * SIZE)
    seqs: dict[int, int] = dict.fromkeys((1, 2, 3), 0)
    for _ in range(60):
        origin, effects = rng.randint(1, 3), rng.randint(1, 4)
        kept.append(operation(origin, seqs[origin] + 1, effects=effects))
        seqs[origin] += effects
        vector = {o: rng.randint(kept.floor.get(o, 0), seq) for o, seq in seqs.items()}
        wanted = {o for o in seqs if rng.random() < 0.7}
        assert kept.locate(vector, wanted.__contains__) == oldest_lacking(kept, vector, wanted)
