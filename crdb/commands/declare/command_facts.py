"""Facts about commands of Redis 7.2 that only COMMAND INFO and COMMAND DOCS tell.

Tips are for clients that distribute requests: whether a reply depends on more than the data, and
how requests to several shards and their replies are put together. History names what a version
added.
"""

from __future__ import annotations

from typing import Final

TIPS: Final[dict[str, list[str]]] = {
    name: tips.split()
    for tips, names in {
        "nondeterministic_output": (
            "client|info client|list cluster|info cluster|nodes cluster|shards cluster|slots "
            "hrandfield hscan lastsave object|encoding object|freq object|idletime object|refcount "
            "pttl spop srandmember sscan time ttl zrandmember zscan"
        ),
        "request_policy:all_nodes response_policy:all_succeeded": (
            "client|setinfo client|setname config|resetstat config|rewrite config|set script|flush "
            "script|load slowlog|reset"
        ),
        "nondeterministic_output_order": (
            "command command|docs command|info command|list function|list hgetall hkeys hvals "
            "module|list sdiff sinter smembers sunion"
        ),
        "request_policy:all_shards response_policy:agg_sum": "dbsize",
        "request_policy:multi_shard response_policy:agg_sum": "del exists touch unlink",
        "request_policy:all_shards response_policy:all_succeeded": (
            "flushall flushdb function|delete function|flush function|load function|restore "
            "memory|purge ping"
        ),
        "request_policy:all_shards response_policy:one_succeeded": "function|kill script|kill",
        "nondeterministic_output request_policy:all_shards response_policy:special": (
            "function|stats info memory|doctor memory|malloc-stats memory|stats"
        ),
        "request_policy:all_shards nondeterministic_output_order": "keys",
        "nondeterministic_output request_policy:all_nodes response_policy:special": (
            "latency|doctor latency|graph latency|histogram latency|history latency|latest"
        ),
        "request_policy:all_nodes response_policy:agg_sum": "latency|reset",
        "request_policy:multi_shard": "mget",
        "request_policy:multi_shard response_policy:all_succeeded": "mset",
        "request_policy:all_shards response_policy:special nondeterministic_output": "randomkey",
        "nondeterministic_output request_policy:special response_policy:special": "scan",
        "request_policy:all_shards response_policy:agg_logical_and": "script|exists",
        "request_policy:all_nodes nondeterministic_output": "slowlog|get",
        "request_policy:all_nodes response_policy:agg_sum nondeterministic_output": "slowlog|len",
        "request_policy:all_shards response_policy:agg_min": "wait waitaof",
    }.items()
    for name in names.split()
}
"""By full name, in the order in which Redis has them."""

_HISTORY: Final = """
auth             6.0.0  a user's name may stand before the password
bgsave           3.2.2  option `SCHEDULE`
bitcount         7.0.0  units `BYTE` and `BIT`
bitpos           7.0.0  units `BYTE` and `BIT`
blpop            6.0.0  fractions of seconds as `timeout`
brpop            6.0.0  fractions of seconds as `timeout`
brpoplpush       6.0.0  fractions of seconds as `timeout`
bzpopmax         6.0.0  fractions of seconds as `timeout`
bzpopmin         6.0.0  fractions of seconds as `timeout`
client|kill      2.8.12 filters
client|kill      2.8.12 filter `ID`
client|kill      3.2.0  `master` as a `TYPE`
client|kill      5.0.0  `replica` as a `TYPE`, and still `slave`
client|kill      6.2.0  filter `LADDR`
client|list      2.8.12 field `id`
client|list      5.0.0  filter `TYPE`
client|list      6.0.0  field `user`
client|list      6.2.0  fields `argv-mem`, `tot-mem`, `laddr` and `redir`, filter `ID`
client|list      7.0.0  fields `resp`, `multi-mem`, `rbs` and `rbp`
client|list      7.0.3  field `ssub`
client|pause     6.2.0  modes `WRITE` and `ALL`
cluster|slots    4.0.0  ids of nodes
cluster|slots    7.0.0  more about the addresses of nodes
command|info     7.0.0  all commands if none is named
config|get       7.0.0  several patterns
config|set       7.0.0  several parameters
exists           3.0.3  several keys
expire           7.0.0  options `NX`, `XX`, `GT` and `LT`
expireat         7.0.0  options `NX`, `XX`, `GT` and `LT`
flushall         4.0.0  option `ASYNC`
flushall         6.2.0  option `SYNC`
flushdb          4.0.0  option `ASYNC`
flushdb          6.2.0  option `SYNC`
hdel             2.4.0  several fields
hello            6.2.0  the protocol may be left out
hset             4.0.0  several fields
info             7.0.0  several sections
lpop             6.2.0  argument `count`
lpush            2.4.0  several elements
lpushx           4.0.0  several elements
pexpire          7.0.0  options `NX`, `XX`, `GT` and `LT`
pexpireat        7.0.0  options `NX`, `XX`, `GT` and `LT`
pttl             2.8.0  reply -2
renamenx         3.2.0  no error for a key renamed to itself
rpop             6.2.0  argument `count`
rpush            2.4.0  several elements
rpushx           4.0.0  several elements
sadd             2.4.0  several members
scan             6.0.0  option `TYPE`
script|flush     6.2.0  options `ASYNC` and `SYNC`
set              2.6.12 options `EX`, `PX`, `NX` and `XX`
set              6.0.0  option `KEEPTTL`
set              6.2.0  options `GET`, `EXAT` and `PXAT`
set              7.0.0  `NX` and `GET` together
shutdown         7.0.0  options `NOW`, `FORCE` and `ABORT`
slowlog|get      4.0.0  the client's address and name
spop             3.2.0  argument `count`
srandmember      2.6.0  argument `count`
srem             2.4.0  several members
ttl              2.8.0  reply -2
zadd             2.4.0  several members
zadd             3.0.2  options `XX`, `NX`, `CH` and `INCR`
zadd             6.2.0  options `GT` and `LT`
zrange           6.2.0  options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`
zrangebyscore    2.0.0  option `WITHSCORES`
zrank            7.2.0  option `WITHSCORE`
zrem             2.4.0  several members
zrevrangebyscore 2.1.6  limits that are not part of the range
zrevrank         7.2.0  option `WITHSCORE`
"""
_DEPRECATED: Final = """
brpoplpush       6.2.0   `BLMOVE` with the `RIGHT` and `LEFT` arguments
cluster|slots    7.0.0   `CLUSTER SHARDS`
getset           6.2.0   `SET` with the `!GET` argument
hmset            4.0.0   `HSET` with multiple field-value pairs
psetex           2.6.12  `SET` with the `PX` argument
quit             7.2.0   just closing the connection
rpoplpush        6.2.0   `LMOVE` with the `RIGHT` and `LEFT` arguments
setex            2.6.12  `SET` with the `EX` argument
setnx            2.6.12  `SET` with the `NX` argument
slaveof          5.0.0   `REPLICAOF`
substr           2.0.0   `GETRANGE`
zrangebylex      6.2.0   `ZRANGE` with the `BYLEX` argument
zrangebyscore    6.2.0   `ZRANGE` with the `BYSCORE` argument
zrevrange        6.2.0   `ZRANGE` with the `REV` argument
zrevrangebylex   6.2.0   `ZRANGE` with the `REV` and `BYLEX` arguments
zrevrangebyscore 6.2.0   `ZRANGE` with the `REV` and `BYSCORE` arguments
"""


def _lines(text: str) -> list[tuple[str, str, str]]:
    """Return name, version and text of each line."""
    found: list[tuple[str, str, str]] = []
    for line in text.strip().splitlines():
        name, version, rest = line.split(None, 2)
        found.append((name, version, rest))
    return found


HISTORY: Final[dict[str, list[tuple[str, str]]]] = {}
"""Versions and what they added, by full name."""
for _name, _version, _added in _lines(_HISTORY):
    HISTORY.setdefault(_name, []).append((_version, f"Added: {_added}."))

DEPRECATED: Final[dict[str, tuple[str, str]]] = {
    name: (version, instead) for name, version, instead in _lines(_DEPRECATED)
}
"""Since when a command should not be used any more, and what to use instead."""

KEY_NOTES: Final[dict[str, dict[int, str]]] = {
    "bitfield": {0: "Some operations only read, others also write."},
    "getex": {0: "The value is read and its time to live changed."},
    "set": {0: "With GET the old value is read too."},
    "sort": {
        1: "Keys of BY and GET depend on the elements.",
        2: "The key of STORE may stand anywhere.",
    },
    "sort_ro": {1: "Keys of BY and GET depend on the elements."},
}
"""Notes on key specifications, by command and place of the specification."""
