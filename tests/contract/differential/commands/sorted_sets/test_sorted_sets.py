"""Compare the replies of commands on members of sorted sets with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import SORTED_SETS, history
from tests.crdb.redis_peer import Peer

READS = [
    "ZSCORE {k} a",
    "ZMSCORE {k} a b a",
    "ZCARD {k}",
    "ZRANK {k} a",
    "ZREVRANK {k} a",
    "ZRANDMEMBER {k}",
    "ZRANDMEMBER {k} 0",
    "ZRANDMEMBER {k} 5",
    "ZRANDMEMBER {k} 5 WITHSCORES",
    "ZRANDMEMBER {k} -3 WITHSCORES",
    "ZSCAN {k} 0",
    "ZREM {k} a",
    "ZINCRBY {k} 2 a",
    "ZADD {k} 1 a",
    "ZADD {k} XX 1 b",
    "ZADD {k} XX INCR 1 b",
    "ZADD {k} NX INCR 1 a",
    "ZADD {k} GT 1 a",
    "ZADD {k} CH 1 a 2 a 3 b",
    "ZRANGE {k} 0 -1 WITHSCORES",
    "ZRANGEBYSCORE {k} -inf +inf WITHSCORES LIMIT 0 1",
    "ZCOUNT {k} -inf inf",
    "ZLEXCOUNT {k} - +",
    "ZREMRANGEBYRANK {k} 0 0",
    "ZRANGESTORE into {k} 0 -1",
    "ZUNION 1 {k} WITHSCORES",
    "ZUNIONSTORE into 1 {k}",
    "ZINTERCARD 1 {k}",
    "ZDIFF 1 {k} WITHSCORES",
    "ZPOPMIN {k}",
    "ZPOPMAX {k} 2",
    "ZPOPMIN {k} 0",
    "ZMPOP 1 {k} MIN",
    "ZMPOP 1 {k} MAX COUNT 5",
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", ["missing", "string", "one"])
def test_replies_of_nothing_of_one_and_of_another_type(peer: Peer, protocol: int, key: str) -> None:
    filled = [("SET", "string", "x"), ("ZADD", "one", "2.5", "a")]
    for command in READS:
        peer.play([*filled, command.format(k=key).split()], protocol)


@pytest.mark.parametrize(
    "command",
    [
        "ZADD z",
        "ZADD z 1",
        "ZADD z 1 a 2",
        "ZADD z NX 1",
        "ZADD z NX XX",
        "ZADD z nx xx 1 a",
        "ZADD z NX GT 1 a",
        "ZADD z NX LT 1 a",
        "ZADD z GT LT 1 a",
        "ZADD z INCR 1 a 2 b",
        "ZADD z 1 a x b",
        "ZADD z nan a",
        "ZADD z 1e400 a",
        "ZADD string GT LT x a",
        "ZADD z INCR -inf top",
        "ZADD z NX INCR -inf top",
        "ZADD z XX INCR -inf top",
        "ZADD z GT INCR -inf top",
        "ZINCRBY z -inf top",
        "ZINCRBY z x a",
        "ZINCRBY z 0x10 a",
        "ZINCRBY string x a",
        "ZMSCORE z",
        "ZRANDMEMBER z x",
        "ZRANDMEMBER z 1 SCORES",
        "ZRANDMEMBER z 1 WITHSCORES x",
        "ZRANDMEMBER z -9223372036854775808",
        "ZRANDMEMBER z 9223372036854775807 WITHSCORES",
        "ZRANDMEMBER missing 4611686018427387904 WITHSCORES",
        "ZSCAN z x",
        "ZSCAN z 0 COUNT 0",
        "ZSCAN z 0 COUNT",
        "ZSCAN missing 0 NONSENSE",
        "ZSCAN z 0 MATCH [at]*",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str) -> None:
    peer.same("SET", "string", "x")
    peer.same("ZADD", "z", "1", "a", "inf", "top")
    peer.same(*command.split())
    peer.same_content()


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [SORTED_SETS], 400))
