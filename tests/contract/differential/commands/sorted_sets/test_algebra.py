"""Compare unions and intersections of sorted sets with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import SORTED_SETS, combination, history
from tests.crdb.redis_peer import Peer

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
