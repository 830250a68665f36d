"""Unions, intersections and differences of sets."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.resp.decoder import decode_replies
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import encode
from tests.crdb.regions import Regions

TABLE = build_table().by_name


def test_positions_of_keys() -> None:
    args = encode(["SINTERCARD", "2", "a", "b", "LIMIT", "1"])
    assert TABLE[b"sintercard"].declaration.key_positions(args) == [2, 3]


@pytest.mark.parametrize("items", [1, 2, 100])
@pytest.mark.parametrize(
    ("request_line", "result"),
    [
        ("SINTER a b", {b"2", b"3"}),
        ("SINTER a none", set[bytes]()),
        ("SUNION a b none", {b"1", b"2", b"3", b"4"}),
        ("SDIFF a b none", {b"1"}),
        ("SDIFF none a", set[bytes]()),
    ],
)
def test_slices_give_the_whole_result(items: int, request_line: str, result: set[bytes]) -> None:
    database = instance()
    database.slices.items = items
    client = Client(database)
    lines(client, "SADD a 1 2 3", "SADD b 2 3 4", "SADD into old")
    (reply,) = decode_replies(lines(client, request_line)[0])
    assert set(reply) == result
    name, rest = request_line.split(" ", 1)
    assert lines(client, f"{name}STORE into {rest}") == [b":%d\r\n" % len(result)]
    (stored,) = decode_replies(lines(client, "SMEMBERS into")[0])
    assert set(stored) == result


@pytest.mark.parametrize("items", [1, 100])
@pytest.mark.parametrize(("limit", "count"), [(0, 3), (2, 2), (5, 3)])
def test_sintercard_stops_at_limit(items: int, limit: int, count: int) -> None:
    database = instance()
    database.slices.items = items
    client = Client(database)
    lines(client, "SADD a 1 2 3 4", "SADD b 1 2 3")
    assert lines(client, f"SINTERCARD 2 a b LIMIT {limit}") == [b":%d\r\n" % count]


@pytest.mark.parametrize(
    ("command", "stored"),
    [("SINTERSTORE", [b"2"]), ("SUNIONSTORE", [b"1", b"2", b"3"]), ("SDIFFSTORE", [b"1"])],
)
@pytest.mark.rule("SET-5")
def test_store_keeps_what_is_added_to_its_destination_meanwhile(
    command: str, stored: list[bytes]
) -> None:
    regions = Regions(3)
    regions.run(1, "SADD", "a", "1", "2")
    regions.run(1, "SADD", "b", "2", "3")
    regions.run(1, "SADD", "into", "old")
    regions.sync()
    regions.run(1, command, "into", "a", "b")
    regions.run(2, "SADD", "into", "new")
    regions.run(3, "SADD", "a", "2000")  # the result is replicated, not the command
    regions.sync()
    assert regions.everywhere("SMEMBERS", "into") == sorted([*stored, b"new"])


@pytest.mark.rule("SET-5")
def test_store_is_one_operation() -> None:
    regions = Regions()
    regions.run(1, "SADD", "a", "1")
    regions.sync()
    regions.run(1, "SUNIONSTORE", "into", "a")
    (op,) = regions.replicas[1].since(regions.replicas[2].vector)
    assert len(op.effects) == 2  # adds, no time to live; there was nothing to remove


@pytest.mark.rule("D-10")
def test_store_ends_time_to_live_against_concurrent_expire() -> None:
    regions = Regions()
    regions.run(1, "SADD", "a", "1")
    regions.run(1, "SADD", "into", "old")
    regions.sync()
    regions.run(1, "SUNIONSTORE", "into", "a")
    regions.run(2, "EXPIRE", "into", "100")
    regions.sync()
    assert regions.everywhere("TTL", "into") == -1
