"""Ranges of sorted sets in the model are those of Redis."""

from __future__ import annotations

import pytest

from sim.redis.commands import execute
from sim.redis.ranges import RANGE_COMMANDS
from sim.redis.state import RedisModel, UndefinedReply
from tests.sim.redis.script import check_complete, replay

READS = """
ZADD z 1 a 1 b 2 c 3 d => 4
ZRANGE z 0 1 => ['a', 'b']
ZRANGE z -2 -1 WITHSCORES => ['c', '2', 'd', '3']
ZRANGE z 0 1 REV => ['d', 'c']
ZRANGE z 5 9 => []
ZREVRANGE z 0 0 WITHSCORES => ['d', '3']
ZRANGE z (1 3 BYSCORE => ['c', 'd']
ZRANGE z 1 (3 BYSCORE WITHSCORES => ['a', '1', 'b', '1', 'c', '2']
ZRANGE z 3 (1 BYSCORE REV => ['d', 'c']
ZRANGE z -inf +inf BYSCORE LIMIT 1 2 => ['b', 'c']
ZRANGE z -inf +inf BYSCORE LIMIT 1 -1 => ['b', 'c', 'd']
ZRANGE z -inf +inf BYSCORE LIMIT -1 2 => []
ZRANGE z 0 1 LIMIT 0 1 => ERR
ZRANGE z x 1 BYSCORE => ERR
ZRANGEBYSCORE z 1 1 => ['a', 'b']
ZRANGEBYSCORE z 2 1 => []
ZREVRANGEBYSCORE z 2 1 LIMIT 0 2 => ['c', 'b']
ZCOUNT z 1 (2 => 2
ZCOUNT nothing 1 2 => 0
ZRANGESTORE out z 1 2 => 2
ZRANGE out 0 -1 => ['b', 'c']
ZRANGESTORE out z 9 1 BYSCORE => 0
EXISTS out => 0
SET s a => 'OK'
ZRANGE s 0 1 => WRONGTYPE
"""
BY_MEMBER = """
ZADD z 1 a 1 b 1 ab 1 c => 4
ZRANGE z [a (b BYLEX => ['a', 'ab']
ZRANGE z - + BYLEX => ['a', 'ab', 'b', 'c']
ZRANGE z + - BYLEX => []
ZRANGE z [b [a BYLEX REV => ['b', 'ab', 'a']
ZRANGE z - + BYLEX LIMIT 1 2 => ['ab', 'b']
ZRANGE z - + BYLEX WITHSCORES => ERR
ZRANGEBYLEX z (a [b => ['ab', 'b']
ZREVRANGEBYLEX z + (ab => ['c', 'b']
ZRANGEBYLEX z a b => ERR
ZLEXCOUNT z [ab + => 3
ZREMRANGEBYLEX z (a (b => 1
ZREMRANGEBYLEX z [x [y => 0
"""
REMOVALS = """
ZADD z 1 a 1 b 2 c 3 d 4 e => 5
ZREMRANGEBYRANK z -1 -1 => 1
ZREMRANGEBYRANK z 9 9 => 0
ZREMRANGEBYSCORE z (1 2 => 1
ZREMRANGEBYSCORE z -inf +inf => 3
EXISTS z => 0
"""
SCRIPTS = [READS, BY_MEMBER, REMOVALS]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(RANGE_COMMANDS, *SCRIPTS)


def test_range_by_member_needs_equal_scores() -> None:
    model = RedisModel({}, 0)
    execute(model, ("ZADD", "z", "1", "a", "2", "b"), 2)
    with pytest.raises(UndefinedReply):
        execute(model, ("ZLEXCOUNT", "z", "-", "+"), 2)
