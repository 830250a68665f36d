"""Ranges of sorted sets, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from tests.crdb.raw import instance, lines
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


def fill(items: int) -> Client:
    """Return a client of an instance with such slices, and 30 members in `z` whose order is not
    made yet."""
    database = instance()
    database.slices.items = items
    client = Client(database)
    lines(client, "ZADD z " + " ".join(f"{n} m{n:02}" for n in range(30)))
    return client


REQUESTS = [
    "ZRANGE z 0 -1",
    "ZRANGE z 0 -1 REV WITHSCORES",
    "ZRANGEBYSCORE z 5 20 LIMIT 2 5",
    "ZREVRANGEBYSCORE z 20 5 LIMIT 2 5",
    "ZRANGEBYSCORE z 5 20 LIMIT -1 5",
    "ZRANGEBYSCORE z 9 3",
    "ZRANGE z 5 3 REV",
    "ZRANK z m07",
    "ZREVRANK z m07 WITHSCORE",
    "ZCOUNT z 3 9",
    "ZLEXCOUNT z - +",
    "ZRANGESTORE to z 2 9",
    "ZRANGESTORE to none 2 9",
    "ZREMRANGEBYRANK z 3 8",
    "ZREMRANGEBYRANK z 9 8",
    "ZREMRANGEBYSCORE z 0 100",
    "ZPOPMAX z 4",
    "ZUNION 1 z WITHSCORES",
    "ZUNION 2 z z",
    "ZINTERCARD 2 z z LIMIT 3",
    "ZDIFFSTORE to 2 z none",
    "ZREM z m01 m02 m40",
    "MULTI\r\nZRANK z m03\r\nZRANGE z 0 -1\r\nEXEC",
]


@pytest.mark.parametrize("request_line", REQUESTS)
@pytest.mark.parametrize("protocol", [2, 3])
def test_slices_change_no_reply(request_line: str, protocol: int) -> None:
    found: list[list[bytes]] = []
    for items in (1, 7, 1000):
        client = fill(items)
        client.protocol = protocol
        found.append(lines(client, request_line, "ZRANGE to 0 -1 WITHSCORES", "ZRANGE z 0 -1"))
        assert client.instance.slices.is_idle()
    assert found[0] == found[1] == found[2]


def test_order_is_made_in_slices_while_others_write() -> None:
    client = fill(1)
    run(client, b"ZRANK z m07\r\n")
    slices = client.instance.slices
    assert slices.is_preparing(client)
    other = Client(client.instance)
    assert lines(other, "ZADD z -1 first", "GET k") == [b":1\r\n", b"$-1\r\n"]
    assert receive(client, b"") == b":8\r\n"
    assert slices.is_idle()


def test_client_that_leaves_while_order_is_made() -> None:
    client = fill(1)
    run(client, b"ZRANK z m07\r\n")
    other = Client(client.instance)
    run(other, b"ZRANK z m08\r\n")
    client.leave()
    assert receive(other, b"") == b":8\r\n"
    assert client.instance.slices.is_idle()


def test_set_that_is_deleted_while_its_order_is_made() -> None:
    client = fill(1)
    run(client, b"ZRANK z m07\r\n")
    lines(Client(client.instance), "DEL z")
    assert receive(client, b"") == b"$-1\r\n"
