"""The choice among random keys."""

from __future__ import annotations

import random

from crdb.engine.eviction.candidates import KEPT_MAX, Candidates


def test_chosen_keys_are_nearly_those_of_highest_score() -> None:
    names = [b"%d" % n for n in range(1000)]
    candidates = Candidates(lambda _cursor: (0, list(names)), random.Random(1))
    alive = set(names)
    for _ in range(100):
        key = candidates.choose(5, lambda each: int(each) if each in alive else None)
        assert key is not None
        alive.remove(key)
    gone = sorted(int(name) for name in set(names) - alive)
    assert gone[len(gone) // 2] > 800
    assert len(candidates.best) <= KEPT_MAX


def test_keys_of_all_parts_are_seen_once() -> None:
    parts = [[b"a", b"b"], [], [b"c"]]
    candidates = Candidates(lambda at: ((at + 1) % 3, list(parts[at])), random.Random(1))
    seen: list[bytes] = []
    for _ in range(5):
        assert candidates.choose(1, seen.append) is None
    assert sorted(seen[:3]) == [b"a", b"b", b"c"]
    assert candidates.best == {}


def test_none_is_chosen_where_there_is_none() -> None:
    candidates = Candidates(lambda _cursor: (0, []), random.Random(1))
    assert candidates.choose(5, lambda _key: 1) is None
    assert candidates.is_at_end()
