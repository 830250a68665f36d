"""Unions, intersections and differences of sorted sets, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from tests.crdb.redis_peer import encode
from tests.crdb.regions import Regions

TABLE = build_table().by_name


def test_positions_of_keys() -> None:
    stored = encode(["ZUNIONSTORE", "into", "2", "a", "b", "WEIGHTS", "1", "2"])
    assert TABLE[b"zunionstore"].declaration.key_positions(stored) == [1, 3, 4]
    assert TABLE[b"zinter"].declaration.key_positions(encode(["ZINTER", "2", "a", "b"])) == [2, 3]
    with pytest.raises(ValueError, match="keys exceed"):
        TABLE[b"zinter"].declaration.key_positions(encode(["ZINTER", "3", "a", "b"]))


@pytest.mark.parametrize(
    ("command", "stored"),
    [
        ("ZUNIONSTORE", [b"1", b"2", b"3"]),
        ("ZINTERSTORE", [b"2"]),
        ("ZDIFFSTORE", [b"1"]),
    ],
)
@pytest.mark.rule("ZST-10")
def test_store_keeps_what_is_added_to_its_destination_meanwhile(
    command: str, stored: list[bytes]
) -> None:
    regions = Regions(3)
    regions.run(1, "ZADD", "a", "1", "1", "1", "2")
    regions.run(1, "ZADD", "b", "2", "2", "2", "3")
    regions.run(1, "ZADD", "into", "9", "old")
    regions.sync()
    regions.run(1, command, "into", "2", "a", "b")
    regions.run(2, "ZADD", "into", "7", "new")
    regions.run(3, "ZADD", "a", "5", "2000")  # the result is replicated, not the command
    regions.sync()
    assert regions.everywhere("ZRANGE", "into", "0", "-1") == sorted([*stored, b"new"])


@pytest.mark.rule("ZST-10")
def test_store_is_one_operation() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "a", "1", "x")
    regions.run(1, "ZADD", "into", "1", "old")
    regions.sync()
    regions.run(1, "ZUNIONSTORE", "into", "1", "a")
    (op,) = regions.replicas[1].since(regions.replicas[2].vector)
    assert len(op.effects) == 3  # the removal, the assignments, no time to live
