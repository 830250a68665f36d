"""Bits of strings in the model have the values and replies of Redis."""

from __future__ import annotations

import pytest

from sim.redis.bits import BIT_COMMANDS
from tests.sim.redis.script import check_complete, replay

BITS = r"""
GETBIT k 5 => 0
SETBIT k 9 1 => 0
SETBIT k 9 1 => 1
SETBIT k 0 0 => 0
STRLEN k => 2
GETBIT k 9 => 1
GETBIT k 100 => 0
BITCOUNT k => 1
BITCOUNT nothing => 0
SET k abc => 'OK'
BITCOUNT k 0 0 => 3
BITCOUNT k -1 -1 => 4
BITCOUNT k 1 -1 BYTE => 7
BITCOUNT k 3 8 BIT => 1
BITCOUNT k -8 -1 BIT => 4
BITCOUNT k -1 -2 => 0
BITCOUNT k 5 9 => 0
BITPOS k 1 => 1
BITPOS k 0 => 0
BITPOS k 1 1 => 9
BITPOS k 1 5 => -1
BITPOS k 1 -1 -1 => 17
BITPOS k 1 3 10 BIT => 7
BITPOS k 0 -8 -1 BIT => 16
BITPOS nothing 0 => 0
BITPOS nothing 1 => -1
BITFIELD o SET i16 0 -1 => [0]
BITPOS o 0 => 16
BITPOS o 0 1 => 16
BITPOS o 0 0 -1 => -1
BITPOS o 0 0 1 BYTE => -1
BITPOS o 0 3 => -1
SADD s a => 1
BITCOUNT s => WRONGTYPE
BITPOS s 1 => WRONGTYPE
SETBIT s 1 1 => WRONGTYPE
"""
COMBINED = r"""
SET a abc => 'OK'
SET b ab => 'OK'
BITOP AND d a b => 3
GET d => 'ab\x00'
BITOP OR d a b nothing => 3
GET d => 'abc'
BITOP XOR d a b => 3
GET d => '\x00\x00c'
BITOP NOT d b => 2
STRLEN d => 2
BITOP NOT d a b => ERR
BITOP NOT d nothing => 0
EXISTS d => 0
PEXPIRE a 900 => 1
BITOP OR a a => 3
PTTL a => -1
SADD s a => 1
BITOP OR d a s => WRONGTYPE
BITOP OR s a => 3
TYPE s => 'string'
"""
FIELDS = r"""
BITFIELD k SET u8 0 255 => [0]
BITFIELD k GET u8 0 GET i8 0 GET u4 4 => [255, -1, 15]
BITFIELD k INCRBY u8 0 1 => [0]
BITFIELD k OVERFLOW SAT INCRBY u8 0 300 INCRBY i8 8 -200 => [255, -128]
BITFIELD k OVERFLOW FAIL INCRBY u8 0 1 GET u8 0 => [None, 255]
BITFIELD k OVERFLOW FAIL SET i8 0 200 => [None]
BITFIELD k OVERFLOW SAT SET i8 0 200 => [-1]
BITFIELD k OVERFLOW SAT SET u8 0 -1 => [127]
BITFIELD k SET u8 0 -1 => [255]
BITFIELD k SET i5 #1 15 GET i5 5 => [-2, 15]
BITFIELD k INCRBY i5 #1 1 => [-16]
BITFIELD k GET u63 0 => [9079256848778919936]
BITFIELD k => []
BITFIELD nothing GET u8 0 => [0]
EXISTS nothing => 0
BITFIELD_RO k GET u4 #1 GET i8 3 => [12, -32]
BITFIELD_RO nothing GET u8 0 => [0]
BITFIELD_RO k SET u8 0 1 => ERR
STRLEN k => 2
SADD s a => 1
BITFIELD s GET u8 0 => WRONGTYPE
BITFIELD_RO s GET u8 0 => WRONGTYPE
"""
SCRIPTS = [BITS, COMBINED, FIELDS]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(BIT_COMMANDS, *SCRIPTS)
