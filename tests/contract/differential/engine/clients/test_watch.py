"""Compare the replies of transactions and WATCH with those of a real redis-server."""

from __future__ import annotations

import shlex

import pytest

from tests.crdb.redis_peer import Peer

SETUP = """SET str v | SET num 5 | SET ttl v | EXPIRE ttl 100 | SADD set a b | SADD one a
HSET hash f 1 g 2 | ZADD zset 1 a 2 b | RPUSH list a b a | RPUSH single a"""
KEYS = ["str", "num", "ttl", "set", "one", "hash", "zset", "list", "single", "none"]
COMMANDS = """
SET str v | SET str w | SET str v NX | SET none v XX | SET str v KEEPTTL | SET str v GET
SETNX str w | SETNX none w | SETEX str 100 v | PSETEX str 100000 v | GETSET str v | GETDEL str
GETDEL none | GETEX str | GETEX str PERSIST | GETEX ttl PERSIST | GETEX ttl | GETEX str EX 100
GETEX none PERSIST | MSET str v num 5 | MSETNX str a none b | APPEND str "" | APPEND none ""
APPEND str x | SETRANGE str 0 v | SETRANGE str 0 "" | SETRANGE none 0 "" | SETRANGE none 0 x
SETBIT str 0 0 | SETBIT str 1 1 | SETBIT none 0 0 | SETBIT str 100 0 | BITFIELD str GET u8 0
BITFIELD str SET u8 0 118 | BITFIELD str INCRBY u8 0 0 | BITFIELD none SET u8 0 0
BITFIELD str OVERFLOW FAIL INCRBY u8 0 1000 | BITOP NOT none str | BITOP AND str none
BITOP AND none nokey | INCR num | INCRBY num 0 | INCRBYFLOAT num 0 | INCRBYFLOAT none 0
DECRBY num 0 | INCR str | SADD set a | SADD set a b | SADD set c | SADD none a | SREM set z
SREM set a | SREM one a | SMOVE set one a | SMOVE set set a | SMOVE set one b | SMOVE set one z
SMOVE set none a | SMOVE none set a | SPOP set | SPOP set 0 | SPOP none | SPOP set 5
SUNIONSTORE set set | SUNIONSTORE set set one | SUNIONSTORE none set | SUNIONSTORE none nokey
SUNIONSTORE set nokey | SINTERSTORE none set nokey | SINTERSTORE set set
SDIFFSTORE none set set | SDIFFSTORE set set set | HSET hash f 1 | HSET hash f 2
HMSET hash f 1 | HSETNX hash f 9 | HSETNX hash z 9 | HDEL hash z | HDEL hash f | HDEL hash f g
HINCRBY hash f 0 | HINCRBY hash f 1 | HINCRBYFLOAT hash f 0 | ZADD zset 1 a | ZADD zset 1 a 2 b
ZADD zset 1 a 5 c | ZADD zset 3 a | ZADD zset NX 9 a | ZADD zset XX 9 z | ZADD zset XX 1 a
ZADD zset XX 7 a | ZADD zset GT 0 a | ZADD zset GT 5 a | ZADD zset LT 5 a | ZADD zset INCR 0 a
ZADD zset INCR 1 a | ZADD none XX 1 a | ZINCRBY zset 0 a | ZINCRBY zset 1 a | ZINCRBY none 0 a
ZINCRBY zset 0 new | ZREM zset z | ZREM zset a | ZREMRANGEBYSCORE zset 10 20
ZREMRANGEBYSCORE zset 1 1 | ZREMRANGEBYRANK zset 10 20 | ZREMRANGEBYLEX zset [x [z
ZPOPMIN zset | ZPOPMIN zset 0 | ZPOPMIN none | ZMPOP 1 zset MIN | ZMPOP 1 none MIN
ZUNIONSTORE zset 1 zset | ZUNIONSTORE none 1 zset | ZUNIONSTORE none 1 nokey
ZUNIONSTORE zset 1 nokey | ZINTERSTORE zset 2 zset set | ZDIFFSTORE none 2 zset zset
ZDIFFSTORE zset 2 zset zset | ZRANGESTORE zset zset 0 -1 | ZRANGESTORE none zset 0 -1
ZRANGESTORE none zset 5 9 | ZRANGESTORE set zset 5 9 | LPUSH list x | RPUSH none x
LPUSHX none x | RPUSHX list x | LPOP list | LPOP list 0 | LPOP none | LPOP single | RPOP list 2
LSET list 0 a | LSET list 0 b | LSET list 9 b | LINSERT list BEFORE a x
LINSERT list BEFORE z x | LINSERT none BEFORE z x | LREM list 0 z | LREM list 1 a
LREM single 0 a | LTRIM list 0 -1 | LTRIM list 5 9 | LTRIM list 0 0 | LTRIM none 0 -1
LTRIM single 0 -1 | RPOPLPUSH list list | RPOPLPUSH single single | RPOPLPUSH list single
RPOPLPUSH none list | LMOVE list list LEFT LEFT | LMOVE list list LEFT RIGHT
LMOVE single single LEFT RIGHT | LMPOP 1 list LEFT | LMPOP 1 none LEFT
SORT list ALPHA STORE list | SORT list ALPHA STORE none | SORT nokey STORE none
SORT nokey STORE list | DEL none | DEL str | DEL str none | UNLINK str | UNLINK none
EXPIRE str 100 | EXPIRE none 100 | EXPIRE str -1 | EXPIRE none -1 | EXPIRE ttl 50 NX
EXPIRE str 50 XX | EXPIRE ttl 1000 LT | EXPIRE ttl 1 GT | EXPIREAT ttl 99999999999 | PERSIST str
PERSIST ttl | PERSIST none | RENAME str str | RENAME str none | RENAME str num
RENAMENX str num | RENAMENX str str | RENAMENX str none | COPY str none | COPY str num
COPY str num REPLACE | COPY str str | FLUSHALL | FLUSHDB | LRANGE list 0 -1 | EXPIRE ttl 100
PEXPIRE ttl 100000 | GET str | FLUSHALL ASYNC
"""


def spelt(text: str) -> list[list[bytes]]:
    """Return the commands in a text, separated by semicolons."""
    requests = " | ".join(text.strip().splitlines()).split(" | ")
    return [[word.encode() for word in shlex.split(each)] for each in requests]


@pytest.mark.no_cover
def test_watch_fires_where_it_does_in_redis(peer: Peer) -> None:
    """Try every command that writes, also where it changes nothing."""
    wrong: list[str] = []
    for command in spelt(COMMANDS):
        named = [key for key in KEYS if key.encode() in command]
        for key in named or KEYS:
            requests = [[b"FLUSHALL"], *spelt(SETUP), [b"WATCH", key.encode()], command]
            requests += [[b"MULTI"], [b"PING"], [b"EXEC"]]
            theirs = peer.server.run_all(requests)[-1]
            ours = [peer.ours.run(each) for each in requests][-1]
            if ours != theirs:
                wrong.append(f"WATCH {key}, {command}: {theirs!r} {ours!r}")
    assert not wrong
