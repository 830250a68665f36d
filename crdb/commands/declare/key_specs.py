"""Where a command's keys are and what it does with them, in the words of COMMAND INFO of Redis 7.

A specification is a range of arguments, or as many of them as an argument says, or unknown where
keys follow a word that may stand anywhere. Its flags begin with what happens to the value:

    RO  it is read           OW  it is overwritten, whatever it was
    RW  it is changed        RM  it is removed, whatever it was

`access` says that the reply, or another key, may show something of the value; `update`, `insert`
and `delete` say how it changes. Most commands have one specification, which follows from the
command table and from `FLAGS`; those that treat their keys differently are in `ROLES`.
"""

from __future__ import annotations

from typing import Final

import attrs

from crdb.engine.command import WRITE, Command

READ: Final = "RO access"
CHANGE: Final = "RW access update"
OVERWRITE: Final = "OW update"
TAKE: Final = "RW access delete"

FLAGS: Final[dict[str, str]] = {
    name: flags
    for flags, names in {
        "RO": "exists hexists hlen hstrlen llen memory|usage object|encoding object|freq "
        "object|idletime object|refcount scard sismember strlen touch type watch zcard",
        "RM delete": "del unlink",
        "OW insert": "msetnx setnx",
        OVERWRITE: "mset psetex setex",
        TAKE: "blmpop blpop brpop bzmpop bzpopmax bzpopmin getdel lmpop lpop rpop spop zmpop "
        "zpopmax zpopmin",
        "RW delete": "hdel lrem ltrim srem zrem zremrangebylex zremrangebyrank zremrangebyscore",
        "RW insert": "append hsetnx linsert lpush lpushx rpush rpushx sadd",
        "RW update": "expire expireat hmset hset lset persist pexpire pexpireat setrange zadd",
        f"{CHANGE} variable_flags": "bitfield set",
    }.items()
    for name in names.split()
}
"""Of commands that treat all their keys alike, but not as `READ` or `CHANGE` says."""


@attrs.frozen
class KeySpec:
    """The keys from argument `begin` (0 is unknown) to `last`, counted from there or, if negative,
    from the end of the request. `is_numbered` if `begin` is the number of keys that follow."""

    flags: str
    begin: int = 0
    last: int = 0
    step: int = 1
    is_numbered: bool = False

    def holds(self, position: int, count: int) -> bool:
        """Whether it is this one that says that the argument at `position` of `count` is a key."""
        if self.is_numbered:
            return position > self.begin
        last = self.begin + self.last if self.last >= 0 else count + self.last
        return self.begin <= position <= last


REST: Final = -1
TAKE_AND_PUT: Final = (KeySpec(TAKE, 1), KeySpec("RW insert", 2))
STORE: Final = (KeySpec(OVERWRITE, 1), KeySpec(READ, 2, REST))
STORE_NUMBERED: Final = (KeySpec(OVERWRITE, 1), KeySpec(READ, 2, is_numbered=True))

ROLES: Final[dict[str, tuple[KeySpec, ...]]] = {
    "bitop": (KeySpec(OVERWRITE, 2), KeySpec(READ, 3, REST)),
    "blmove": TAKE_AND_PUT,
    "brpoplpush": TAKE_AND_PUT,
    "copy": (KeySpec(READ, 1), KeySpec(OVERWRITE, 2)),
    "lmove": TAKE_AND_PUT,
    "rename": (KeySpec(TAKE, 1), KeySpec(OVERWRITE, 2)),
    "renamenx": (KeySpec(TAKE, 1), KeySpec("OW insert", 2)),
    "rpoplpush": TAKE_AND_PUT,
    "sdiffstore": STORE,
    "sinterstore": (KeySpec("RW update", 1), KeySpec(READ, 2, REST)),
    "smove": TAKE_AND_PUT,
    "sort": (KeySpec(READ, 1), KeySpec(READ), KeySpec(OVERWRITE)),
    "sort_ro": (KeySpec(READ, 1), KeySpec(READ)),
    "sunionstore": STORE,
    "zdiffstore": STORE_NUMBERED,
    "zinterstore": STORE_NUMBERED,
    "zrangestore": (KeySpec(OVERWRITE, 1), KeySpec(READ, 2)),
    "zunionstore": STORE_NUMBERED,
}


def key_specs(command: Command) -> tuple[KeySpec, ...]:
    """The specifications of a command; none if it has no keys."""
    name = command.full_name.decode()
    if name in ROLES:
        return ROLES[name]
    flags = FLAGS.get(name, CHANGE if command.bits & WRITE else READ)
    if command.first_key:
        last = command.last_key - (command.first_key if command.last_key > 0 else 0)
        return (KeySpec(flags, command.first_key, last, command.key_step),)
    if command.getkeys is None:
        return ()
    begin = 2 if "blocking" in command.flags else 1
    return (KeySpec(flags, begin, is_numbered=True),)


def only_reads(words: list[bytes]) -> bool:
    """Return whether a BITFIELD only reads, as far as its arguments can be parsed."""
    at = 2
    while at < len(words):
        left = len(words) - at - 1
        if words[at] == b"GET" and left >= 2:
            at += 3
        elif words[at] == b"OVERFLOW" and left >= 1:
            at += 2
        else:
            return False
    return True


def flags_at(command: Command, request: list[bytes], position: int) -> str:
    """What the command does with the key at `position` of this very request."""
    words = [word.upper() for word in request]
    if command.full_name == b"set":
        return CHANGE if b"GET" in words[3:] else OVERWRITE
    if command.full_name == b"bitfield":
        return READ if only_reads(words) else CHANGE
    specs = key_specs(command)
    for spec in specs:
        if spec.begin and spec.holds(position, len(request)):
            return spec.flags
    return specs[-1].flags
