"""Sorted sets in the model have the values and replies of Redis."""

from __future__ import annotations

import pytest

from sim.redis.sorted_sets import SORTED_SET_COMMANDS
from tests.sim.redis.script import check_complete, replay

SCORES = """
ZADD z 1 a 2 b => 2
ZADD z 3 b 4 c => 1
ZADD z CH 3 b 5 c => 1
ZADD z NX 9 a 0 d => 1
ZADD z XX 9 e 2 a => 0
ZADD z GT CH 1 a 3 d => 1
ZADD z LT CH 1 a 4 d => 1
ZADD z GT CH 1 a => 0
ZADD z INCR 1.5 a => '2.5'
ZADD z NX INCR 1 a => None
ZADD z XX INCR 1 nothing => None
ZADD z GT INCR -1 a => None
ZADD z LT INCR -1 a => '1.5'
ZADD z NX GT 1 a => ERR
ZADD z NX XX 1 a => ERR
ZADD z GT LT 1 a => ERR
ZADD z x a => ERR
ZADD z INCR 1 a 2 b => ERR
ZINCRBY z 2 new => '2'
ZSCORE z a => '1.5'
ZSCORE z nothing => None
ZMSCORE z a nothing b => ['1.5', None, '3']
ZCARD z => 5
ZRANK z a => 0
ZREVRANK z a => 4
ZRANK z nothing => None
ZRANK z new WITHSCORE => [1, '2']
ZREVRANK z d WITHSCORE => [1, '3']
ZREM z a nothing => 1
ZREM z nothing => 0
ZREM z b c d new => 4
EXISTS z => 0
SET s a => 'OK'
ZADD s 1 a => WRONGTYPE
"""
POPS = """
ZADD z 1 a 1 b 1 c 2 d 3 e 3 f => 6
ZPOPMIN z => ['a', '1']
ZPOPMAX z => ['f', '3']
ZPOPMIN z 2 => ['b', '1', 'c', '1']
ZPOPMIN z 0 => []
ZPOPMIN z -1 => ERR
ZPOPMAX nothing => []
ZMPOP 2 nothing z MAX => ['z', [['e', '3']]]
ZMPOP 1 z MIN COUNT 5 => ['z', [['d', '2']]]
ZMPOP 1 z MIN => None
ZMPOP 1 z MIN COUNT 0 => ERR
ZADD z 1 a 2 b 3 c => 3
BZPOPMIN nothing z 0 => ['z', 'a', '1']
BZPOPMAX z 0 => ['z', 'c', '3']
BZPOPMAX nothing 0 => None
BZMPOP 0 2 nothing z MIN => ['z', [['b', '2']]]
ZADD z 1 a => 1
ZRANDMEMBER z => 'a'
ZRANDMEMBER z -2 => ['a', 'a']
ZRANDMEMBER z -2 WITHSCORES => ['a', '1', 'a', '1']
ZRANDMEMBER nothing => None
"""
SEVERAL = """
ZADD y 1 a 2 b => 2
ZADD z 5 b 3 c => 2
SADD s a z => 2
ZUNION 2 y z WITHSCORES => ['a', '1', 'c', '3', 'b', '7']
ZUNION 2 y z => ['a', 'c', 'b']
ZUNION 2 y z WEIGHTS 2 -1 AGGREGATE MIN WITHSCORES => ['b', '-5', 'c', '-3', 'a', '2']
ZUNION 2 y s AGGREGATE MAX WITHSCORES => ['a', '1', 'z', '1', 'b', '2']
ZUNION 1 y WEIGHTS -0 WITHSCORES => ['a', '-0', 'b', '-0']
ZINTER 2 y z WITHSCORES => ['b', '7']
ZINTER 2 y nothing => []
ZDIFF 2 y z WITHSCORES => ['a', '1']
ZUNIONSTORE out 2 y z => 3
ZINTERSTORE out 2 y z AGGREGATE MAX => 1
ZDIFFSTORE out 2 y z => 1
ZDIFFSTORE out 2 y y => 0
EXISTS out => 0
ZINTERCARD 2 y y => 2
ZINTERCARD 2 y y LIMIT 1 => 1
ZINTERCARD 2 y y LIMIT 0 => 2
ZINTERCARD 2 y y LIMIT -1 => ERR
SET t a => 'OK'
ZUNION 2 y t => WRONGTYPE
"""
SCRIPTS = [SCORES, POPS, SEVERAL]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(SORTED_SET_COMMANDS, *SCRIPTS)
