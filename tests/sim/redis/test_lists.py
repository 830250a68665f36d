"""Lists in the model have the values and replies of Redis."""

from __future__ import annotations

import pytest

from sim.redis.lists import LIST_COMMANDS
from tests.sim.redis.script import check_complete, replay

ENDS = """
LPUSHX l a => 0
RPUSHX l a => 0
RPUSH l a b => 2
LPUSH l c d => 4
LRANGE l 0 -1 => ['d', 'c', 'a', 'b']
LPUSHX l e => 5
RPUSHX l f => 6
LPOP l => 'e'
RPOP l => 'f'
LPOP l 2 => ['d', 'c']
RPOP l 9 => ['b', 'a']
EXISTS l => 0
LPOP l => None
LPOP l 2 => None
RPUSH l a => 1
LPOP l 0 => []
LPOP l -1 => ERR
LLEN l => 1
LLEN nothing => 0
SET s a => 'OK'
RPUSH s a => WRONGTYPE
"""
INSIDE = """
RPUSH l a b a c a => 5
LINDEX l -1 => 'a'
LINDEX l 5 => None
LINDEX l -6 => None
LRANGE l -100 1 => ['a', 'b']
LRANGE l 3 100 => ['c', 'a']
LRANGE l 3 1 => []
LRANGE l -2 -9 => []
LSET l -1 z => 'OK'
LSET l 5 z => ERR
LSET nothing 0 z => ERR
LINSERT l BEFORE z y => 6
LINSERT l AFTER z x => 7
LINSERT l AFTER nothing x => -1
LINSERT nothing AFTER a x => 0
LRANGE l 0 -1 => ['a', 'b', 'a', 'c', 'y', 'z', 'x']
LPOS l a => 0
LPOS l a RANK 2 => 2
LPOS l a RANK -1 => 2
LPOS l a COUNT 0 => [0, 2]
LPOS l a COUNT 1 => [0]
LPOS l a RANK -2 COUNT 0 => [0]
LPOS l a RANK -1 COUNT 2 MAXLEN 3 => []
LPOS l q => None
LPOS l a RANK 0 => ERR
LREM l 1 a => 1
LREM l -1 a => 1
LREM l 0 a => 0
LREM l 2 b => 1
LTRIM l 1 -2 => 'OK'
LRANGE l 0 -1 => ['y', 'z']
LTRIM l 0 100 => 'OK'
LTRIM l 5 9 => 'OK'
EXISTS l => 0
"""
MOVES = """
LMOVE l m LEFT RIGHT => None
RPUSH l a b c => 3
LMOVE l m LEFT RIGHT => 'a'
LMOVE l m RIGHT LEFT => 'c'
LRANGE m 0 -1 => ['c', 'a']
RPOPLPUSH m m => 'a'
LRANGE m 0 -1 => ['a', 'c']
LMOVE l l LEFT LEFT => 'b'
PEXPIRE l 9 => 1
RPOPLPUSH l l => 'b'
PTTL l => 9
LMPOP 2 l m RIGHT COUNT 9 => ['l', ['b']]
LMPOP 2 l m LEFT => ['m', ['a']]
LMPOP 1 l LEFT => None
LMPOP 1 m LEFT COUNT 0 => ERR
BLPOP l m 0 => ['m', 'c']
BLPOP l m 0 => None
RPUSH l a b c => 3
BRPOP l 0 => ['l', 'c']
BLMOVE l m LEFT RIGHT 0 => 'a'
BRPOPLPUSH l m 0 => 'b'
BLMOVE l m LEFT RIGHT 0 => None
BLMPOP 0 2 l m LEFT COUNT 2 => ['m', ['b', 'a']]
SET s a => 'OK'
RPUSH l a => 1
LMOVE l s LEFT LEFT => WRONGTYPE
BLPOP s 0 => WRONGTYPE
"""
SCRIPTS = [ENDS, INSIDE, MOVES]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(LIST_COMMANDS, *SCRIPTS)
