"""The table of keys and their holders, compared with a plain one."""

from __future__ import annotations

import random

from crdb.engine.tracking.tracked_keys import FEW, TrackedKeys


def test_table_counts_as_plain_one_does() -> None:
    rng = random.Random(5)
    tracked, plain = TrackedKeys(), dict[bytes, set[int]]()
    for _ in range(2000):
        key, client = b"k%d" % rng.randrange(9), rng.randrange(3 * FEW)
        if rng.random() < 0.02:
            assert set(tracked.pop(key)) == plain.pop(key, set())
        else:
            assert tracked.add(key, client) is (key not in plain)
            plain.setdefault(key, set()).add(client)
        assert tracked.items == sum(map(len, plain.values()))
        assert (len(tracked), key in tracked) == (len(plain), key in plain)
    assert max(map(len, plain.values())) > FEW


def test_take_all_leaves_nothing() -> None:
    tracked = TrackedKeys()
    tracked.add(b"k", 1)
    assert list(tracked.take_all()) == [b"k"]
    assert (len(tracked), tracked.items) == (0, 0)
