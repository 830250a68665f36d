"""Keys and deadlines in the model have the replies of Redis."""

from __future__ import annotations

import pytest

from sim.redis.keys import KEY_COMMANDS
from tests.sim.redis.script import check_complete, replay

NAMES = """
SET k a => 'OK'
PEXPIRE k 900 => 1
EXISTS k k nothing => 2
TOUCH k nothing => 1
TYPE k => 'string'
TYPE nothing => 'none'
RENAME nothing k => ERR
RENAME k k => 'OK'
RENAME k m => 'OK'
PTTL m => 900
RENAMENX m m => 0
SET n b => 'OK'
RENAMENX m n => 0
RENAMENX m o => 1
COPY o n => 0
COPY o o => ERR
COPY nothing n => 0
COPY o n REPLACE => 1
PTTL n => 900
COPY o p DB 0 => 1
COPY o p DB 0 REPLACE => 1
COPY o p DB 1 => ERR
DEL p p nothing => 1
UNLINK n nothing => 1
DEL n => 0
ZADD z 1 a => 1
TYPE z => 'zset'
ECHO a => 'a'
WAIT 0 0 => 0
"""
DEADLINES = """
PEXPIRE nothing 5 => 0
PERSIST nothing => 0
TTL nothing => -2
SET k a => 'OK'
PERSIST k => 0
PTTL k => -1
PEXPIRE k 500 XX => 0
PEXPIRE k 500 GT => 0
PEXPIRE k 500 LT => 1
PEXPIRE k 500 GT => 0
PEXPIRE k 500 LT => 0
PEXPIRE k 499 GT => 0
PEXPIRE k 501 LT => 0
PEXPIRE k 501 NX => 0
PEXPIRE k 501 GT => 1
PEXPIRE k 500 XX LT => 1
PEXPIRE k 400 XX => 1
PEXPIRE k 400 GT LT => ERR
PEXPIRE k 400 NX XX => ERR
PERSIST k => 1
EXPIRE k 2 NX => 1
TTL k => 2
PTTL k => 2000
EXPIRETIME k => 3
PEXPIREAT k 1500 => 1
TTL k => 1
PEXPIREAT k 1499 => 1
TTL k => 0
EXPIREAT k 9 => 1
PEXPIRETIME k => 9000
EXPIRETIME nothing => -2
PEXPIREAT k 1001 => 1
PTTL k => 1
PEXPIREAT k 1000 => 1
EXISTS k => 0
SET k a => 'OK'
PEXPIRE k 0 => 1
EXISTS k => 0
SET k a => 'OK'
EXPIRE k -1 => 1
EXISTS k => 0
"""
SCRIPTS = [NAMES, DEADLINES]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(KEY_COMMANDS, *SCRIPTS)
