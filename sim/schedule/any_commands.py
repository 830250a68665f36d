"""Commands of all types for a few keys, so that all kinds of conflicts occur."""

from __future__ import annotations

from typing import Final

from sim.engine.rng import SeededRandom
from sim.schedule.step import Words

FIELDS: Final = 6
"""The number of names of fields and members that are used again and again."""
LONG_OFFSET: Final = "5000"
"""A place in a string that is so long that only its changes are sent."""
LONG_BIT: Final = "40001"
FOR_ALL_KEYS: Final = "for _, k in ipairs(KEYS) do redis.call(ARGV[1], k, unpack(ARGV, 2)) end"
"""A script that runs a command on each of its keys."""


def change_any(rng: SeededRandom, key: str, other: str, text: str) -> Words:
    """Draw a command for one or both of these keys. `text` is a value that is used once."""
    field = f"f{rng.integer_below(FIELDS)}"
    number = str(rng.integer_between(-50, 50))
    return rng.choose_one(
        (
            ("SET", key, text),
            ("SET", key, number),
            ("SET", key, number, "KEEPTTL"),
            ("SET", key, text, "PX", str(rng.integer_between(1, 20_000))),
            ("APPEND", key, field),
            ("SETRANGE", key, LONG_OFFSET, field),
            ("SETBIT", key, LONG_BIT, "1"),
            ("INCRBY", key, number),
            ("INCRBYFLOAT", key, "0.5"),
            ("HSET", key, field, text),
            ("HSET", key, field, number),
            ("HINCRBY", key, field, number),
            ("HDEL", key, field),
            ("HPEXPIRE", key, str(100 + 300 * abs(int(number))), "FIELDS", "1", field),
            ("SADD", key, field),
            ("SREM", key, field),
            ("ZADD", key, number, field),
            ("ZINCRBY", key, number, field),
            ("ZREM", key, field),
            ("RPUSH", key, text),
            ("LPOP", key),
            ("LSET", key, "0", text),
            ("LMOVE", key, other, "LEFT", "RIGHT"),
            ("PFADD", key, field, number),
            ("PFMERGE", key, other),
            ("SUNIONSTORE", key, key, other),
            ("RENAME", key, other),
            ("COPY", key, other, "REPLACE"),
            ("EVAL", FOR_ALL_KEYS, "2", key, other, "APPEND", field),
            ("EVAL", FOR_ALL_KEYS, "2", key, other, "SADD", field, text),
            ("DEL", key),
        )
    )
