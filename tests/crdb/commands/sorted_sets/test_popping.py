"""Pops from sorted sets: waiting, and conflicts between regions."""

from __future__ import annotations

import pytest

from tests.crdb.declared import key_positions
from tests.crdb.regions import Regions
from tests.crdb.waiters import Waiters


def test_positions_of_keys() -> None:
    assert key_positions(b"ZMPOP 2 a b MIN") == [2, 3]
    assert key_positions(b"BZMPOP 0 1 a MAX COUNT 2") == [3]
    assert key_positions(b"BZPOPMIN a b 0") == [1, 2]


def test_waiters_are_served_in_order_in_which_they_came() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    first = waiters.block(1, "BZPOPMIN", "other", "z", "0")
    second = waiters.block(1, "BZMPOP", "0", "1", "z", "MAX", "COUNT", "5")
    third = waiters.block(1, "BZPOPMAX", "z", "0", protocol=3)
    regions.run(1, "ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert waiters.replies(first) == [[b"z", b"a", b"1"]]
    assert waiters.replies(second) == [[b"z", [[b"c", b"3"], [b"b", b"2"]]]]
    assert waiters.replies(third) == []
    regions.run(1, "ZINCRBY", "z", "1.5", "d")
    assert waiters.replies(third) == [[b"z", b"d", 1.5]]
    assert regions.run(1, "EXISTS", "z") == 0


def test_key_of_another_type_serves_no_client() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(1, "BZPOPMIN", "s", "z", "0")
    regions.run(1, "SADD", "s", "x")
    assert waiters.replies(waiter) == []
    regions.run(1, "ZADD", "z", "1", "a")
    assert waiters.replies(waiter) == [[b"z", b"a", b"1"]]


def test_wait_ends_with_null() -> None:
    waiters = Waiters(Regions())
    clients = [
        waiters.block(1, "BZPOPMIN", "z", "0.05"),
        waiters.block(1, "BZMPOP", "0.0501", "1", "z", "MIN", protocol=3),
    ]
    waiters.wait(1, 50)
    assert [waiters.replies(client) for client in clients] == [[None], []]
    waiters.wait(1, 1)
    assert waiters.replies(clients[1]) == [None]


@pytest.mark.rule("LST-10")
def test_members_that_arrive_by_replication_serve_as_well() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    here, there = (waiters.block(n, "BZPOPMIN", "z", "0") for n in (1, 2))
    regions.run(1, "ZADD", "other", "1", "x")
    regions.run(1, "ZUNIONSTORE", "z", "1", "other")
    regions.sync()
    assert waiters.replies(here) == [[b"z", b"x", b"1"]]
    assert waiters.replies(there) == []  # the pop is replicated with the members that it removed
    regions.run(1, "ZADD", "z", "2", "y")
    regions.sync()
    assert waiters.replies(there) == [[b"z", b"y", b"2"]]
    regions.replicas[2].seal()
    regions.sync()
    assert regions.everywhere("EXISTS", "z") == 0


@pytest.mark.rule("ZST-9")
def test_two_regions_may_pop_same_member_and_it_is_gone_once() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a", "2", "b", "3", "c")
    regions.sync()
    assert regions.run(1, "ZPOPMIN", "z") == [b"a", b"1"]
    assert regions.run(2, "ZPOPMIN", "z") == [b"a", b"1"]
    regions.sync()
    assert regions.everywhere("ZRANGE", "z", "0", "-1") == [b"b", b"c"]


@pytest.mark.rule("ZST-9")
def test_pop_of_all_leaves_what_is_added_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a", "2", "b")
    regions.run(1, "ZINCRBY", "z", "2", "c")
    regions.sync()
    assert len(regions.run(1, "ZMPOP", "1", "z", "MAX", "COUNT", "9")[1]) == 3
    regions.run(2, "ZADD", "z", "9", "new")
    regions.run(2, "ZINCRBY", "z", "3", "c")
    regions.sync()
    shown = regions.run(1, "ZRANGE", "z", "0", "-1", "WITHSCORES")
    assert shown == [b"c", b"3", b"new", b"9"]
