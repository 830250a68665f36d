"""Ranges of sorted sets, and conflicts between regions."""

from __future__ import annotations

import pytest

from tests.crdb.regions import Regions


@pytest.mark.rule("ZST-9")
def test_removal_by_range_removes_what_it_saw() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a", "2", "b", "3", "c")
    regions.sync()
    regions.run(1, "ZREMRANGEBYSCORE", "z", "-inf", "2")
    regions.run(2, "ZADD", "z", "0", "new")
    regions.run(2, "ZINCRBY", "z", "5", "a")
    regions.sync()
    shown = regions.run(2, "ZRANGE", "z", "0", "-1", "WITHSCORES")
    assert shown == [b"new", b"0", b"c", b"3", b"a", b"5"]


@pytest.mark.rule("ZST-9")
def test_also_when_it_removes_all() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a", "2", "b")
    regions.sync()
    assert regions.run(1, "ZREMRANGEBYRANK", "z", "0", "-1") == 2
    regions.run(2, "ZADD", "z", "3", "c")
    regions.sync()
    assert regions.everywhere("ZRANGE", "z", "0", "-1") == [b"c"]


@pytest.mark.rule("ZST-10")
def test_store_is_removal_and_assignments() -> None:
    regions = Regions(3)
    regions.run(1, "ZADD", "z", "1", "a", "2", "b")
    regions.run(1, "ZADD", "into", "9", "old")
    regions.sync()
    assert regions.run(1, "ZRANGESTORE", "into", "z", "0", "0") == 1
    regions.run(2, "ZADD", "into", "7", "new")
    regions.run(3, "ZADD", "z", "0", "first")  # the result is replicated, not the command
    regions.sync()
    assert regions.everywhere("ZRANGE", "into", "0", "-1") == [b"a", b"new"]


@pytest.mark.rule("D-10")
def test_store_ends_time_to_live_against_concurrent_expire() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a")
    regions.run(1, "ZADD", "into", "9", "old")
    regions.sync()
    regions.run(1, "ZRANGESTORE", "into", "z", "0", "0")
    regions.run(2, "EXPIRE", "into", "100")
    regions.sync()
    assert regions.everywhere("TTL", "into") == -1
