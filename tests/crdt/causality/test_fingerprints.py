"""Trails of fingerprints: their contents, and contradictions."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError, Op
from crdt.causality.fingerprints import MARKS_MAX, Trail, read_trails, write_trails
from crdt.wire import codec


def op(first: int, effects: int = 1, previous: int = 0) -> Op:
    return Op(1, first, 0, {}, ((2, 0, b"k", b"a"),) * effects, previous)


def trail(*ops: Op) -> Trail:
    made = Trail()
    for each in ops:
        made.record(each)
    return made


def test_trail_holds_first_and_latest_operations() -> None:
    made = [op(first) for first in range(1, 30)]
    held = trail(*made)
    assert len(held.marks) == MARKS_MAX
    assert held.birth == (1, made[0].fingerprint())
    assert held.fingerprint(1) == made[0].fingerprint()
    assert held.fingerprint(29) == made[28].fingerprint()
    assert held.fingerprint(5) == held.fingerprint(40) == 0


def test_between_operations_there_is_no_fingerprint() -> None:
    held = trail(op(1, 2), op(3, 2))
    assert [held.fingerprint(seq) > 0 for seq in range(6)] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_part_of_operation_cuts_trail() -> None:
    whole = op(2, 3)
    held = trail(op(1), op(2, 3).part(0, 1))
    assert held.marks == []
    assert held.birth is not None
    held.record(whole.beyond(2))
    assert held.marks == [(4, whole.fingerprint())]
    held.record(op(7))
    assert [last for last, _ in held.marks] == [7], "what came between is not known"


def test_trails_of_different_length_agree() -> None:
    made = [op(1), op(2), op(3), op(4)]
    for begin in range(4):
        for end in range(begin, 5):
            assert not trail(*made).contradicts(trail(*made[begin:end]))
            assert not trail(*made[begin:end]).contradicts(trail(*made))


@pytest.mark.parametrize(
    "other",
    [
        trail(op(1, 2)),
        trail(op(2, 2)),
        trail(op(2), op(3, previous=7), op(4)),
        trail(op(3, 2)),
    ],
)
def test_trails_of_other_operations_contradict(other: Trail) -> None:
    held = trail(op(1), op(2), op(3), op(4))
    assert held.contradicts(other) == other.contradicts(held) == (other.marks[0][0] <= 4)


def test_trail_comes_back_and_copy_stands_still() -> None:
    held = {5: trail(op(1), op(2)), 7: trail(op(2)), 9: Trail(), 11: trail(op(1))}
    vector = {5: 2, 7: 2, 9: 1}
    written = write_trails(held, vector)
    again = read_trails(codec.unpack(codec.pack(written)), vector)
    assert sorted(again) == [5, 7]
    assert (again[5].birth, again[5].marks) == (held[5].birth, held[5].marks)
    assert again[7].birth is None
    twin = held[5].copy()
    held[5].record(op(3))
    assert len(twin.marks) == 2


@pytest.mark.parametrize(
    "packed",
    [
        5,
        ((5, ()),),
        ((0, (), ()),),
        ((5, (1,), ()),),
        ((5, (0, 1), ()),),
        ((5, (1, 0), ()),),
        ((5, (), (1,)),),
        ((5, (), (1, 1 << 40)),),
        ((5, (), (2, 1, 1, 1)),),
        ((5, (), (1, 1, 1, 1)),),
        ((5, (), (9, 1)),),
        ((5, (), (1, 1) * 9),),
    ],
    ids=repr,
)
def test_invalid_trail_is_refused(packed: Any) -> None:
    with pytest.raises(DecodeError):
        read_trails(packed, {5: 3})
