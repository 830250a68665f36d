"""Hashes in the model have the values and replies of Redis."""

from __future__ import annotations

from sim.redis.hashes import HASH_COMMANDS
from tests.sim.redis.script import check_complete, replay

SCRIPT = """
HSET h a 1 b 2 => 2
HSET h a 3 c 4 => 1
HMSET h d 5 => 'OK'
HSETNX h a 9 => 0
HSETNX h e 9 => 1
HGET h a => '3'
HGET h z => None
HGET nothing z => None
HMGET h a z c => ['3', None, '4']
HGETALL h => ['a', '3', 'b', '2', 'c', '4', 'd', '5', 'e', '9']
HGETALL nothing => []
HKEYS h => ['a', 'b', 'c', 'd', 'e']
HVALS h => ['2', '3', '4', '5', '9']
HLEN h => 5
HEXISTS h a => 1
HEXISTS h z => 0
HSTRLEN h a => 1
HSTRLEN h z => 0
HDEL h d e z => 2
HDEL h z => 0
HINCRBY h a 4 => 7
HINCRBY h n -2 => -2
HINCRBY h a x => ERR
HINCRBYFLOAT h a 0.5 => '7.5'
HINCRBYFLOAT h m 1 => '1'
HINCRBY h a 1 => ERR
HDEL h b c n m => 4
HRANDFIELD h => 'a'
HRANDFIELD h 3 => ['a']
HRANDFIELD h -2 => ['a', 'a']
HRANDFIELD h -2 WITHVALUES => ['a', '7.5', 'a', '7.5']
HRANDFIELD h 0 => []
HRANDFIELD nothing => None
HRANDFIELD nothing -2 WITHVALUES => []
HDEL h a => 1
EXISTS h => 0
SET s a => 'OK'
HGETALL s => WRONGTYPE
HSET s a b => WRONGTYPE
"""


def test_replies_are_those_of_redis() -> None:
    replay(SCRIPT)
    check_complete(HASH_COMMANDS, SCRIPT)
