"""Unions and their kin: replies as a real redis-server's, conflicts as the specification says."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.errors import CommandError
from tests.crdb.random_commands import SORTED_SETS, combination, history
from tests.crdb.redis_peer import Peer, encode
from tests.crdb.regions import Regions

TABLE = build_table().by_name

COMMANDS = [
    "ZUNION 2 a b WITHSCORES",
    "ZUNION 3 a b a WITHSCORES WEIGHTS 1 2 3 AGGREGATE MAX",
    "ZUNION 2 a b weights 1 inf aggregate min withscores withscores",
    "ZUNION 2 a set WITHSCORES",
    "ZUNION 2 missing set WITHSCORES",
    "ZUNION 1 a WEIGHTS -inf",
    "ZUNION 2 zero a WEIGHTS inf 1 WITHSCORES",
    "ZUNION 2 top bottom WITHSCORES",
    "ZINTER 2 a b WITHSCORES",
    "ZINTER 2 a set WITHSCORES WEIGHTS 1 10",
    "ZINTER 2 top bottom WITHSCORES",
    "ZINTER 2 a missing",
    "ZDIFF 2 a b WITHSCORES",
    "ZDIFF 2 set b WITHSCORES",
    "ZDIFF 1 missing",
    "ZDIFF 2 a a",
    "ZDIFF 1 a WEIGHTS 1",
    "ZDIFF 1 a AGGREGATE SUM",
    "ZUNION 0 a",
    "ZUNION x a",
    "ZUNION 3 a b",
    "ZUNION 1 a WEIGHTS",
    "ZUNION 2 a b WEIGHTS 1",
    "ZUNION 1 a WEIGHTS x",
    "ZUNION 1 a WEIGHTS nan",
    "ZUNION 1 a AGGREGATE",
    "ZUNION 1 a AGGREGATE AVG",
    "ZUNION 1 a LIMIT 1",
    "ZUNION 1 string WEIGHTS",
    "ZINTER 2 missing string",
    "ZDIFF 2 missing string",
    "ZUNIONSTORE into 2 a b WITHSCORES",
    "ZUNIONSTORE into 2 a b WEIGHTS 2 3",
    "ZUNIONSTORE string 1 a",
    "ZUNIONSTORE a 2 a b AGGREGATE MIN",
    "ZUNIONSTORE into -1 a",
    "ZINTERSTORE into 2 a b",
    "ZINTERSTORE a 2 a missing",
    "ZINTERSTORE into 2 a string",
    "ZDIFFSTORE into 2 a b",
    "ZDIFFSTORE into 2 a b WEIGHTS 1 2",
    "ZDIFFSTORE a 2 a a",
    "ZINTERCARD 2 a b",
    "ZINTERCARD 2 a a LIMIT 1",
    "ZINTERCARD 2 a a LIMIT 0",
    "ZINTERCARD 2 a a LIMIT 1 LIMIT 2",
    "ZINTERCARD 1 a LIMIT -1",
    "ZINTERCARD 1 a LIMIT x",
    "ZINTERCARD 1 a LIMIT",
    "ZINTERCARD 1 a WITHSCORES",
]
FILLED = [
    ("SET", "string", "x"),
    ("SADD", "set", "x", "y"),
    ("ZADD", "a", "1", "x", "2", "y", "0.5", "z"),
    ("ZADD", "b", "4", "y", "8", "w"),
    ("ZADD", "zero", "0", "x"),
    ("ZADD", "top", "inf", "x"),
    ("ZADD", "bottom", "-inf", "x"),
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_are_as_in_redis(peer: Peer, protocol: int) -> None:
    for command in COMMANDS:
        peer.play([*FILLED, command.split()], protocol)


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [SORTED_SETS, [combination]], 400))


def test_commands_tell_where_their_keys_are() -> None:
    stored = encode(["ZUNIONSTORE", "into", "2", "a", "b", "WEIGHTS", "1", "2"])
    assert TABLE[b"zunionstore"].key_positions(stored) == [1, 3, 4]
    assert TABLE[b"zinter"].key_positions(encode(["ZINTER", "2", "a", "b"])) == [2, 3]
    with pytest.raises(CommandError):
        TABLE[b"zinter"].key_positions(encode(["ZINTER", "3", "a", "b"]))


@pytest.mark.parametrize(
    ("command", "stored"),
    [
        ("ZUNIONSTORE", [b"1", b"2", b"3"]),
        ("ZINTERSTORE", [b"2"]),
        ("ZDIFFSTORE", [b"1"]),
    ],
)
def test_zst_10_a_store_keeps_what_is_added_to_its_destination_meanwhile(
    command: str, stored: list[bytes]
) -> None:
    regions = Regions(3)
    regions.run(1, "ZADD", "a", "1", "1", "1", "2")
    regions.run(1, "ZADD", "b", "2", "2", "2", "3")
    regions.run(1, "ZADD", "into", "9", "old")
    regions.sync()
    regions.run(1, command, "into", "2", "a", "b")
    regions.run(2, "ZADD", "into", "7", "new")
    regions.run(3, "ZADD", "a", "5", "2000")  # the result travels, not the command
    regions.sync()
    assert regions.everywhere("ZRANGE", "into", "0", "-1") == sorted([*stored, b"new"])


def test_zst_10_a_store_is_one_operation() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "a", "1", "x")
    regions.run(1, "ZADD", "into", "1", "old")
    regions.sync()
    regions.run(1, "ZUNIONSTORE", "into", "1", "a")
    (op,) = regions.replicas[1].since(regions.replicas[2].vector)
    assert len(op.effects) == 3  # the removal, the assignments, no time to live
