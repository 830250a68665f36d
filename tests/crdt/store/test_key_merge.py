"""Merging one key: a lone string in short, anything else in full, and a first snapshot as it is."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Vector, make_dot
from crdt.store.key_merge import MergedVectors, merge_key, merge_plain
from crdt.store.keyspace import Keyspace
from crdt.types.registry import BUILT_IN
from crdt.types.string import String

K = b"k"
MINE, THEIRS = 1, 2


def written(origin: int, seq: int, value: bytes) -> String:
    """Return a string with one write."""
    string = String()
    string.dot, string.stamp, string.value = make_dot(origin, seq), seq, value
    return string


@pytest.mark.parametrize(
    ("mine", "theirs", "left"),
    [
        ({MINE: 1}, {THEIRS: 1}, None),  # neither has seen the other's
        ({MINE: 1, THEIRS: 1}, {THEIRS: 1}, b"ours"),  # we have replaced theirs
        ({MINE: 1}, {MINE: 1, THEIRS: 1}, b"theirs"),
        ({MINE: 1, THEIRS: 1}, {MINE: 1, THEIRS: 1}, b""),  # each has removed the other's
    ],
)
def test_lone_writes_stay_unless_the_other_side_saw_them(
    mine: Vector, theirs: Vector, left: bytes | None
) -> None:
    db = Keyspace(MINE, BUILT_IN)
    db.data.put(K, written(MINE, 1, b"ours"))
    vectors = MergedVectors(mine, theirs, 7)
    is_done = merge_plain(db, K, written(THEIRS, 1, b"theirs"), (), vectors)
    assert is_done == (left is not None)
    value = db.data.get(K)
    if left is not None:
        assert (b"" if value is None else value.text()) == left
    if left == b"theirs":
        assert value is not None
        assert value.accessed == 7


def test_first_snapshot_is_taken_as_it_is() -> None:
    db = Keyspace(MINE, BUILT_IN)
    db.watch(K)
    given = written(THEIRS, 1, b"theirs")
    merge_key(db, K, given, (make_dot(THEIRS, 2), 500), MergedVectors({}, {THEIRS: 2}, 7))
    held = db.data.get(K)
    assert held is not None
    assert (held.state(), held.accessed) == (given.state(), 7)
    assert db.deadline(K) == 500
    assert db.drain_changes() == [K]
    assert list(db.garbage) == [K]
