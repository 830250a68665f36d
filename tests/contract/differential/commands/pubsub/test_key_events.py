"""Compare the keyspace events of commands with those of a real redis-server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.differential.commands.pubsub.talking import Talk
from tests.crdb.redis_peer import Server

SCRIPTS = {
    "strings": """
        2 SET a 1; SET a 2 NX; SET a 2 XX; SET b 1 EX 100; SET b 2 KEEPTTL; SET b 2 GET PX 100000
        2 SETNX a 3; SETNX c 3; SETEX c 100 4; PSETEX d 100000 4; MSET a 1 a 2 e 3; MSETNX a 1 f 2
        2 MSETNX f 1 g 2; GETSET a 3; GETDEL a; GETDEL a; APPEND a x; APPEND a y; SETRANGE a 1 z
        2 SETRANGE none 5 ""; SETRANGE none 5 x; INCR n; DECR n; INCRBY n 5; DECRBY n 3
        2 INCRBYFLOAT n 0.5; INCRBYFLOAT m 1; INCR a; GETEX b; GETEX b PERSIST; GETEX b PERSIST
        2 GETEX b EX 100; GETEX b EXAT 1; GETEX b; SET x 1 EX 0; SET x 1 GET; SET x 2 NX GET
        2 LCS a n; GET a; MGET a none; STRLEN a; SET big 1 EXAT 99999999999
    """,
    "bits": """
        2 SETBIT b 3 1; SETBIT b 3 1; SETBIT b 3 0; SETBIT c 3 0; BITOP OR d b c; BITOP AND d x y
        2 BITOP NOT d none; BITFIELD b SET u8 0 255; BITFIELD b GET u8 0; BITFIELD b INCRBY u8 0 1
    """,
    "lists": """
        2 LPUSH l a; RPUSH l b c; LPUSHX none a; LPUSHX l x; RPUSHX l y; LINSERT l BEFORE a z
        2 LINSERT l BEFORE none z; LSET l 0 q; LSET l 99 q; LREM l 0 none; LREM l 0 q; LTRIM l 0 -1
        2 LTRIM l 1 -1; LPOP l; RPOP l; LPOP none; LPOP l 0; LPOP l 99; LPUSH l a b c; LTRIM l 5 9
        2 RPUSH l a b c; RPOPLPUSH l m; LMOVE l m LEFT RIGHT; LMOVE m m LEFT RIGHT; RPOPLPUSH l m
        2 RPOPLPUSH none m; LMPOP 2 l m LEFT; LMPOP 2 l m RIGHT COUNT 9; BLPOP m 1; RPUSH m a b
        2 BLPOP none m 0; BRPOP m 0; RPUSH m a b; BLMOVE m o RIGHT LEFT 0; BRPOPLPUSH m o 0
        2 BLMPOP 0 2 m o RIGHT; RPUSH l a; LREM l 1 a; RPUSH m 2 1; SORT m STORE o
        2 SORT none STORE o; SORT none STORE none
    """,
    "sets": """
        2 SADD s a b; SADD s a; SADD s a c; SREM s none; SREM s a; SREM s b c; SADD s a b c
        2 SMOVE s t a; SMOVE s t none; SMOVE s s b; SADD t c; SMOVE s t c; SPOP s; SPOP s; SPOP t 0
        2 SADD s a; SPOP s 9; SADD s a b; SADD t a; SINTERSTORE d s t; SUNIONSTORE d s t
        2 SDIFFSTORE d s s; SDIFFSTORE d s s; SREM t a; SMOVE t s x; SADD u z; SMOVE u s z
    """,
    "hashes": """
        2 HSET h f 1; HSET h f 1 g 2; HMSET h f 3; HSETNX h f 4; HSETNX h k 4; HINCRBY h n 1
        2 HINCRBYFLOAT h n 0.5; HDEL h none; HDEL h f; HDEL h g k n; HINCRBY i n 1
        2 HINCRBYFLOAT j n 1; HGET h f; HINCRBY i f x
    """,
    "sorted sets": """
        2 ZADD z 1 a; ZADD z 1 a; ZADD z 2 a; ZADD z XX 3 b; ZADD z NX 3 a; ZADD z CH 3 a 4 b
        2 ZADD z INCR 1 a; ZADD z NX INCR 1 a; ZINCRBY z 1 c; ZINCRBY z 0 c; ZREM z none; ZREM z a
        2 ZREM z b c; ZADD z 1 a 2 b 3 c 4 d 5 e 6 f; ZREMRANGEBYSCORE z 99 100
        2 ZREMRANGEBYSCORE z 1 1; ZREMRANGEBYRANK z 0 0; ZREMRANGEBYLEX z [c [c; ZPOPMIN z
        2 ZPOPMAX z; ZPOPMAX z; ZPOPMIN z; ZADD z 1 a 2 b; ZADD y 1 a; ZUNIONSTORE d 2 z y
        2 ZINTERSTORE d 2 z y; ZDIFFSTORE d 2 y z; ZDIFFSTORE d 2 y z; ZRANGESTORE d z 0 -1
        2 ZRANGESTORE d none 0 -1; ZMPOP 2 z y MIN; ZMPOP 2 z y MAX COUNT 9; BZPOPMIN y 0
        2 ZADD y 1 a 2 b; BZPOPMAX y 0; BZMPOP 0 1 y MIN
    """,
    "keys": """
        2 SET a 1; DEL a; DEL a none; MSET a 1 b 2; DEL a b a; SET a 1; UNLINK a; EXPIRE a 10
        2 SET a 1; EXPIRE a 100; EXPIRE a 50 GT; PEXPIRE a 100000 NX; PERSIST a; PERSIST a
        2 EXPIREAT a 99999999999; PEXPIREAT a 99999999999999; EXPIRE a -1; EXPIRE a 5; SET a 1
        2 RENAME a b; RENAMENX b c; SET a 1; RENAMENX a c; RENAME a c; RENAME c c; RENAME x y
        2 COPY c d; COPY c d; COPY c d REPLACE; COPY none d; TOUCH a c; FLUSHALL; SET a 1
        2 RPUSH l a; EXPIRE l 100; RENAME l m; COPY m l
    """,
    "transactions": """
        2 MULTI; SET a 1; INCR n; GET a; DEL a; EXEC
        2 MULTI; SET a 1; DISCARD; WATCH a; MULTI; SET a 1; EXEC
        3 WATCH n
        2 INCR n
        3 MULTI; SET b 1; EXEC
    """,
    "blocked clients": """
        3 BLPOP l 0
        2 RPUSH l a
        3 BLMOVE l m LEFT RIGHT 0
        2 LPUSH l a b
        3 BLMPOP 0 2 l k LEFT COUNT 2
        2 DEL l; RPUSH k a b c
        3 BZPOPMIN z 0
        2 MULTI; ZADD z 1 a; ZADD z 2 b; EXEC
    """,
}
SELECTED = {
    "KEA": "SET a 1; LPUSH l a; LPOP l; EXPIRE a 10; SADD s a; HSET h f 1; ZADD z 1 a; DEL a",
    "Kg": "SET a 1; LPUSH l a; LPOP l; EXPIRE a 10; DEL a",
    "E$": "SET a 1; LPUSH l a; INCR n; DEL a",
    "Elz": "SET a 1; LPUSH l a; ZADD z 1 a; ZREM z a",
    "K": "SET a 1",
    "A": "SET a 1",
    "KEn": "SET a 1; SET a 2; RENAME a b; COPY b c; SUNIONSTORE d e; SADD e x; SUNIONSTORE d e",
    "AKEn": "SET a 1; INCR n; MSET a 1 b 2 b 3; SMOVE x y z; SADD x z; SMOVE x y z; COPY a c",
    "KEm": "GET none; MGET a none none; EXISTS none none; TTL none; TYPE none; STRLEN none; "
    "HGET none f; LRANGE none 0 -1; SUNION none other; OBJECT ENCODING none; GETEX none; "
    "SORT none; SINTERSTORE d x y; COPY none d; RENAME none y; LPOP none; TOUCH none; SET none 1; "
    "GET none",
}


@pytest.fixture
def server(redis_server: Server) -> Iterator[Server]:
    """Return a server without keys, whose events are switched off again."""
    redis_server.run([b"FLUSHALL"])
    yield redis_server
    redis_server.run([b"CONFIG", b"SET", b"notify-keyspace-events", b""])


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("subscriber", ["1", "R1"])
def test_events_are_those_of_redis(server: Server, script: str, subscriber: str) -> None:
    begin = "2 CONFIG SET notify-keyspace-events AKEn; CONFIG GET notify-keyspace-events\n"
    Talk(server).play(f"{begin} {subscriber} PSUBSCRIBE __key*\n" + script.strip())


@pytest.mark.parametrize("setting", SELECTED)
def test_events_of_chosen_classes(server: Server, setting: str) -> None:
    Talk(server).play(f"""
        1 PSUBSCRIBE __key*
        2 CONFIG SET notify-keyspace-events {setting}; {SELECTED[setting]}
        2 CONFIG SET notify-keyspace-events ""; SET a 1; GET none
    """)


def test_client_gets_its_own_events(server: Server) -> None:
    Talk(server).play("""
        2 CONFIG SET notify-keyspace-events KEA
        1 SUBSCRIBE __keyevent@0__:set
        1 UNSUBSCRIBE
        2 SET a 1
    """)
