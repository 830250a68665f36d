"""Commands that make a key of each type, and the names of these keys and of a missing one."""

from __future__ import annotations

from tests.crdb.redis_peer import Word

FILLED: list[tuple[Word, ...]] = [
    ("SET", "string", "v"),
    ("INCRBY", "counter", "41"),
    ("SET", "brief", "v", "EX", "1000"),
    ("SADD", "set", "a", "b", "c"),
    ("SADD", "integers", "1", "2"),
    ("EXPIRE", "integers", "1000"),
    ("HSET", "hash", "f", "v", "g", "w"),
    ("HINCRBY", "hash", "n", "7"),
    ("RPUSH", "list", "a", "b", "a"),
    ("EXPIRE", "list", "1000"),
    ("ZADD", "zset", "1.5", "a", "-inf", "b"),
    ("SET", "expired", "v", "PXAT", "1"),
]
NAMES = [
    *["string", "counter", "brief", "set", "integers", "hash", "list", "zset", "expired"],
    "missing",
]
