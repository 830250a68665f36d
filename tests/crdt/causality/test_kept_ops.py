"""Tests of the columns in which a backlog keeps its operations."""

from __future__ import annotations

from random import Random

import pytest

from crdt.causality.kept_ops import SLACK, Kept, KeptOps


def test_empty_queue_finds_nothing() -> None:
    ops = KeptOps()
    assert (len(ops), list(ops.each()), ops.ending_at(1, 1), ops.count_ends()) == (0, [], b"", 0)


@pytest.mark.parametrize("seed", range(10))
def test_queue_does_what_list_does(seed: int) -> None:
    rng = Random(seed)
    ops = KeptOps()
    expected: list[Kept] = []
    seqs = dict.fromkeys((1, 2, 3), 0)
    for _ in range(4 * SLACK):
        if expected and rng.random() < 0.45 + 0.1 * (seed % 2):
            assert ops.drop_first() == expected.pop(0)
        else:
            origin, count = rng.choice((1, 1, 1, 2, 3)), rng.randint(1, 3)
            first, last = seqs[origin] + 1, seqs[origin] + count
            seqs[origin] = last
            kept = (origin, first, last, b"%d-%d" % (origin, last))
            ops.append(kept)
            expected.append(kept)
    assert list(ops.each()) == expected
    assert len(ops) == ops.count_ends() == len(expected)
    assert list(ops.each(2, 7)) == expected[2:7]
    for origin, seq in seqs.items():
        endings = {last: data for made_by, _, last, data in expected if made_by == origin}
        for last in range(1, seq + 2):
            assert ops.ending_at(origin, last) == endings.get(last, b"")


def test_dropped_operations_leave_columns() -> None:
    ops = KeptOps()
    for seq in range(1, 4 * SLACK):
        ops.append((1, seq, seq, b"data"))
        if seq > 1:
            ops.drop_first()
    assert len(ops.data) == len(ops.lasts) <= 2 * SLACK + 2
    assert len(ops.ends[1].lasts) <= 2 * SLACK + 2
    assert ops.at(0) == (1, 4 * SLACK - 1, 4 * SLACK - 1, b"data")
