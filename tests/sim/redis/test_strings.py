"""Strings in the model have the values and replies of Redis."""

from __future__ import annotations

import pytest

from sim.redis.strings import STRING_COMMANDS
from tests.sim.redis.script import check_complete, replay

WRITES = """
GET k => None
SET k a => 'OK'
SET k b NX => None
SET m b XX => None
SET m b NX => 'OK'
SET k c XX => 'OK'
SET k d GET => 'c'
SET k e NX GET => 'd'
SET n e XX GET => None
SET k e XX GET => 'd'
GET k => 'e'
GETSET k f => 'e'
SETNX k g => 0
SETNX o g => 1
GETDEL o => 'g'
GETDEL o => None
MSET p 1 q 2 => 'OK'
MSETNX q 3 r 4 => 0
MSETNX r 4 s 5 => 1
SADD t a => 1
MGET p q r nothing t => ['1', '2', '4', None, None]
GET t => WRONGTYPE
SET t x GET => WRONGTYPE
GETSET t x => WRONGTYPE
SET t x => 'OK'
GET t => 'x'
"""
LIFETIMES = """
SET k a PX 500 => 'OK'
SET k b KEEPTTL => 'OK'
PTTL k => 500
SET k b => 'OK'
PTTL k => -1
SET k c KEEPTTL => 'OK'
PTTL k => -1
SET k c EX 2 => 'OK'
PEXPIRETIME k => 3000
SET k c EXAT 4 => 'OK'
PEXPIRETIME k => 4000
SET k d NX PX 7 => None
PEXPIRETIME k => 4000
SET k d PXAT 999 => 'OK'
GET k => None
SET k d PXAT 1000 => 'OK'
GET k => 'd'
SET k d PX 0 => ERR
SET k d EX -1 => ERR
SETEX k 3 e => 'OK'
PTTL k => 3000
SETEX k 0 e => ERR
PSETEX k 3 f => 'OK'
PTTL k => 3
GETEX k => 'f'
PTTL k => 3
GETEX k PX 40 => 'f'
PTTL k => 40
GETEX k EX 1 => 'f'
GETEX k EXAT 9 => 'f'
PTTL k => 8000
GETEX k PERSIST => 'f'
PTTL k => -1
GETEX k PX 0 => ERR
GETEX nothing PX 0 => None
GETEX k PXAT 1001 => 'f'
GETEX k PXAT 1000 => 'f'
GET k => None
"""
PARTS = """
APPEND k ab => 2
APPEND k cd => 4
STRLEN k => 4
STRLEN nothing => 0
GETRANGE k 1 2 => 'bc'
GETRANGE k -2 -1 => 'cd'
GETRANGE k -1 -2 => ''
GETRANGE k 0 -100 => 'a'
GETRANGE k -100 100 => 'abcd'
GETRANGE k 3 1 => ''
SUBSTR k 0 0 => 'a'
GETRANGE nothing 0 -1 => ''
SETRANGE k 1 XY => 4
GET k => 'aXYd'
SETRANGE k 0 '' => 4
SETRANGE k -1 z => ERR
SETRANGE nothing 5 '' => 0
EXISTS nothing => 0
SETRANGE pad 2 z => 3
STRLEN pad => 3
GETBIT k 1 => 1
GETBIT k 0 => 0
GETBIT k 900 => 0
SETBIT k 1 1 => 1
SETBIT k 2 0 => 1
GET k => 'AXYd'
SETBIT new 9 1 => 0
STRLEN new => 2
BITCOUNT k => 12
BITCOUNT k 0 0 => 2
BITCOUNT k -1 -2 => 0
BITCOUNT k 0 -100 => 2
BITCOUNT nothing => 0
"""
NUMBERS = """
INCR k => 1
INCRBY k 5 => 6
DECR k => 5
DECRBY k 7 => -2
INCRBYFLOAT k 0.5 => '-1.5'
INCRBYFLOAT k 1.5 => '0'
INCR k => 1
INCRBYFLOAT k 10 => '11'
INCRBY k x => ERR
INCRBY k 1.5 => ERR
INCRBYFLOAT k x => ERR
SET k '' => 'OK'
INCR k => ERR
INCRBYFLOAT k 1 => ERR
SET k 01 => 'OK'
INCR k => ERR
SET k 576460752303423487 => 'OK'
INCR k => ERR
DECR k => 576460752303423486
SET k 9223372036854775807 => 'OK'
INCRBY k 0 => ERR
DECR k => 9223372036854775806
SET k 9223372036854775808 => 'OK'
DECR k => ERR
SADD t a => 1
INCR t => WRONGTYPE
"""
SCRIPTS = [WRITES, LIFETIMES, PARTS, NUMBERS]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(STRING_COMMANDS, *SCRIPTS)
