"""Blocked and watching clients while a region merges a snapshot."""

from __future__ import annotations

import pytest

from tests.crdb.regions import Regions
from tests.crdb.waiters import Waiters


@pytest.mark.parametrize("is_empty", [True, False])
def test_snapshot_serves_blocked_client(is_empty: bool) -> None:
    """An empty region takes over a snapshot by a path of its own, which once served no client."""
    regions = Regions(2)
    waiters = Waiters(regions)
    if not is_empty:
        regions.run(2, "SET", "other", "x")
    first = waiters.block(2, "BLPOP", "l", "0")
    regions.run(1, "RPUSH", "l", "a", "b")
    regions.merge(1, 2)
    assert waiters.replies(first) == [[b"l", b"a"]]
    regions.sync()
    assert regions.everywhere("LRANGE", "l", "0", "-1") == [b"b"]


@pytest.mark.parametrize("is_empty", [True, False])
def test_snapshot_dirties_watched_key(is_empty: bool) -> None:
    """D-16: effects of other regions dirty watched keys."""
    regions = Regions(2)
    if not is_empty:
        regions.run(2, "SET", "other", "x")
    regions.run(2, "WATCH", "k")
    regions.run(1, "SET", "k", "a")
    regions.merge(1, 2)
    assert regions.transaction(2, ("MULTI",), ("SET", "k", "b"), ("EXEC",))[-1] is None
    assert regions.run(2, "GET", "k") == b"a"


def test_snapshot_leaves_other_watches_alone() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "k", "a")
    regions.sync()
    regions.run(2, "WATCH", "k")
    regions.run(1, "SET", "other", "a")
    regions.merge(1, 2)
    assert regions.transaction(2, ("MULTI",), ("SET", "k", "b"), ("EXEC",))[-1] is not None
