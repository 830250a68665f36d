"""Sets in the model have the values and replies of Redis."""

from __future__ import annotations

from sim.redis.sets import SET_COMMANDS
from tests.sim.redis.script import check_complete, replay

SCRIPT = """
SADD s a b => 2
SADD s b c => 1
SADD t b d => 2
SREM s z => 0
SCARD s => 3
SCARD nothing => 0
SISMEMBER s a => 1
SISMEMBER s z => 0
SMISMEMBER s a z b => [1, 0, 1]
SMEMBERS s => ['a', 'b', 'c']
SUNION s t nothing => ['a', 'b', 'c', 'd']
SINTER s t => ['b']
SINTER s nothing => []
SDIFF s t => ['a', 'c']
SDIFF nothing s => []
SINTERCARD 2 s t => 1
SINTERCARD 2 s s LIMIT 2 => 2
SINTERCARD 2 s s LIMIT 0 => 3
SINTERCARD 2 s s LIMIT -1 => ERR
SMOVE s t a => 1
SMOVE s t z => 0
SMOVE nothing t z => 0
SMOVE s s b => 1
SMEMBERS t => ['a', 'b', 'd']
SUNIONSTORE u s t => 4
SINTERSTORE u s t => 1
PEXPIRE u 50 => 1
SDIFFSTORE u t s => 2
PTTL u => -1
SINTERSTORE u s nothing => 0
EXISTS u => 0
SREM s b c => 2
EXISTS s => 0
SADD one a => 1
SRANDMEMBER one => 'a'
SRANDMEMBER one -2 => ['a', 'a']
SRANDMEMBER nothing => None
SPOP one -1 => ERR
SPOP one 0 => []
SPOP one => 'a'
SPOP one => None
SADD one a => 1
SPOP one 3 => ['a']
EXISTS one => 0
SET x a => 'OK'
SADD x a => WRONGTYPE
SMOVE t x a => WRONGTYPE
SMOVE nothing x a => 0
SUNIONSTORE x t => 3
TYPE x => 'set'
"""


def test_replies_are_those_of_redis() -> None:
    replay(SCRIPT)
    check_complete(SET_COMMANDS, SCRIPT)
