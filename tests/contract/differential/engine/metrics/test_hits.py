"""Compare the replies of keyspace hits and misses with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer, decode

PREPARED = [
    "SET s 1",
    "RPUSH l a b c",
    "SADD m a b c",
    "HSET h f 1 g 2",
    "ZADD z 1 a 2 b",
]
COMMANDS = """
GET s|GET none|GET l|MGET s none l|STRLEN s|GETRANGE s 0 1|SUBSTR s 0 1|GETEX s|GETEX none
GETEX s EX 100|GETDEL s|GETDEL none|GETSET s 2|GETSET none 2|SET s 2|SET s 2 GET|SET none 2 GET
SET s 2 NX|SET s 2 XX|SETNX s 1|APPEND s x|INCR s|INCRBYFLOAT s 1|SETRANGE s 0 x|LCS s none
GETBIT s 0|SETBIT s 0 1|BITCOUNT s|BITPOS s 1|BITOP NOT d s|BITOP AND d s none
BITFIELD s GET u8 0|BITFIELD s SET u8 0 1|BITFIELD_RO s GET u8 0|BITFIELD none GET u8 0
EXISTS s none s|TYPE s|TYPE none|TTL s|PTTL none|EXPIRETIME s|TOUCH s none|OBJECT ENCODING s
OBJECT ENCODING none|OBJECT REFCOUNT s|OBJECT IDLETIME s|RANDOMKEY|KEYS *|SCAN 0|DBSIZE
DEL s none|UNLINK s|EXPIRE s 100|EXPIRE none 100|PERSIST s|RENAME s t|RENAMENX s t|COPY s t
COPY none t|SORT l ALPHA|SORT none|SORT_RO l ALPHA|SORT l BY none* ALPHA|SORT l ALPHA STORE d
LLEN l|LLEN none|LINDEX l 0|LRANGE l 0 -1|LPOS l a|LPUSH l x|LPUSHX none x|LPOP l|LPOP none
LSET l 0 x|LINSERT l BEFORE a x|LREM l 0 a|LTRIM l 0 1|LMOVE l d LEFT LEFT|LMPOP 1 l LEFT
SCARD m|SCARD none|SISMEMBER m a|SMISMEMBER m a x|SMEMBERS m|SRANDMEMBER m|SPOP m|SADD m x|SREM m a
SMOVE m d a|SINTER m none|SINTERCARD 2 m none|SUNION m none|SDIFF m none|SDIFFSTORE d m none
SINTERSTORE d m none|SUNIONSTORE d m none|SSCAN m 0|SSCAN none 0
HGET h f|HGET none f|HMGET h f x|HGETALL h|HLEN h|HKEYS h|HVALS h|HEXISTS h f|HSTRLEN h f
HRANDFIELD h|HSCAN h 0|HSET h f 2|HSETNX h f 3|HINCRBY h f 1|HDEL h f
ZCARD z|ZCARD none|ZSCORE z a|ZMSCORE z a x|ZRANK z a|ZRANGE z 0 -1|ZRANGEBYSCORE z 0 9|ZCOUNT z 0 9
ZLEXCOUNT z - +|ZRANDMEMBER z|ZSCAN z 0|ZADD z 3 c|ZINCRBY z 1 a|ZREM z a|ZPOPMIN z|ZMPOP 1 z MIN
ZRANGESTORE d z 0 -1|ZUNION 2 z none|ZINTER 2 z none|ZDIFF 2 z none|ZINTERCARD 2 z none
ZUNIONSTORE d 2 z none|ZINTERSTORE d 2 z none|ZDIFFSTORE d 2 z none|ZREMRANGEBYRANK z 0 0
MEMORY USAGE s|WATCH s none
"""


def counted(peer: Peer) -> tuple[int, int]:
    """Return the server's hits and misses."""
    text = decode(peer.server.run([b"INFO", b"stats"])).decode()
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(found["keyspace_hits"]), int(found["keyspace_misses"])


@pytest.mark.parametrize("command", COMMANDS.replace("\n", "|").strip("|").split("|"))
def test_command_counts_hits_and_misses(peer: Peer, command: str) -> None:
    for line in PREPARED:
        peer.same(*line.split())
    peer.same("CONFIG", "RESETSTAT")
    request = command.encode().split()
    peer.server.run(request)
    peer.ours.run(request)
    db = peer.ours.db
    assert (db.hits, db.misses) == counted(peer)
    peer.server.run([b"UNWATCH"])
