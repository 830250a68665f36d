"""The keys that a request concerns."""

from __future__ import annotations

from crdb.engine.execution.reach import Reach


def test_reach_of_everything_overlaps_any_key() -> None:
    everything = Reach(set(), is_whole=True, writes=False)
    assert everything.overlaps({b"k"})
    assert not everything.overlaps({})
    assert Reach({b"a", b"b"}, is_whole=False, writes=False).overlaps({b"b": 1})
