"""The keyspace events of commands and of effects: their names and classes, as Redis 7.2 has them.

A command raises an event for each key that it changes. The name is mostly that of the command. The
tables below list the others. When a key comes into being, `new` is raised first, and when a command
empties a value, `del` follows.

An effect of another region raises the event of the command that would have had the same result (see
`effect_event`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crdb.engine.arguments import is_word
from crdt.causality.effect import ANY_TYPE, DELETE, EXPIRE, Effect
from crdt.causality.schema import FOREVER
from crdt.types.definition import SpellingForm
from crdt.types.registry import TypeRegistry

LETTERS: Final = "KEg$lshzxetdnm"
"""The letters of `notify-keyspace-events`. The bit of each is 1 shifted by its index."""
ALL: Final = "g$lshzxetd"
"""The letters that `A` stands for."""
KEYSPACE: Final = 1
KEYEVENT: Final = 2
GENERIC: Final = 1 << LETTERS.index("g")
EXPIRED: Final = 1 << LETTERS.index("x")
EVICTED: Final = 1 << LETTERS.index("e")
NEW: Final = 1 << LETTERS.index("n")
MISS: Final = 1 << LETTERS.index("m")
LIST: Final = 1 << LETTERS.index("l")

Event = tuple[int, bytes, bytes]
"""The class of an event, its name and the key."""

CLASSES: Final[dict[str, str]] = {
    "string": "$",
    "bitmap": "$",
    "hyperloglog": "$",
    "list": "l",
    "set": "s",
    "hash": "h",
    "sorted-set": "z",
    "zset": "z",
    "geo": "z",
    "stream": "t",
    "generic": "g",
}
"""The class of the events of a group of commands, or of a type. Other groups and types are those of
modules in Redis, which have the class `d`."""
GENERIC_NAMES: Final = frozenset(
    {
        *(b"del", b"expire", b"persist", b"rename_from", b"rename_to", b"copy_to", b"restore"),
    }
)
NAMES: Final[dict[bytes, bytes]] = {
    each: name
    for name, commands in {
        b"set": b"setnx getset mset msetnx",
        b"incrby": b"incr decr decrby",
        b"setbit": b"bitfield",
        b"del": b"unlink getdel",
        b"lpush": b"lpushx",
        b"rpush": b"rpushx",
        b"lpop": b"blpop",
        b"rpop": b"brpop",
        b"hset": b"hmset hsetnx",
        b"hexpire": b"hpexpire hexpireat hpexpireat",
        b"zadd": b"geoadd",
        b"zincr": b"zincrby",
        b"zpopmin": b"bzpopmin",
        b"zpopmax": b"bzpopmax",
        b"pfadd": b"pfmerge",
    }.items()
    for each in commands.split()
}
"""The names of events by command, if they differ."""
SILENT: Final = frozenset({b"flushall", b"flushdb"})
"""Commands without events."""


class CommandRun:
    """The request of a command, and the keys before and after it."""

    def __init__(
        self, name: bytes, group: str, args: list[bytes], existed: dict[bytes, bool]
    ) -> None:
        """`existed` has all keys of the request, in order, and whether each was there."""
        self.name = name
        self.args = args
        self.existed = existed
        self.exists: dict[bytes, bool] = {}
        self.changed: set[bytes] = set()
        self.event_class = class_of(group)

    def events_for(self, key: bytes, name: bytes) -> list[Event]:
        """Return the events of a key that the command has changed. The last is `del` if it has
        removed the key."""
        if key not in self.changed:
            return []
        is_generic = name in GENERIC_NAMES
        event = (GENERIC if is_generic else self.event_class, name, key)
        if not self.existed[key]:
            return [(NEW, b"new", key), event] if self.exists[key] else []
        if self.exists[key] or name == b"del":
            return [event]
        return [event, (GENERIC, b"del", key)]

    def events(self) -> list[Event]:
        """Return all events, in the order of Redis."""
        if self.name in SILENT:
            return []
        special = SPECIAL.get(self.name)
        if special is not None:
            return special(self)
        name = NAMES.get(self.name, self.name.replace(b"|", b"-"))
        return [event for key in self.existed for event in self.events_for(key, name)]


def class_of(group: str) -> int:
    """Return the class of the events of a group of commands or of a type."""
    return 1 << LETTERS.index(CLASSES.get(group, "d"))


def class_bits(letters: str) -> int:
    """Return the classes of a value of `notify-keyspace-events`, and KEYSPACE and KEYEVENT."""
    return sum(1 << LETTERS.index(letter) for letter in set(letters.replace("A", ALL)))


# -- commands whose events depend on their arguments -----------------------------------------


def set_events(run: CommandRun) -> list[Event]:
    """SET, SETEX, PSETEX: `set`, and `expire` behind it."""
    key = run.args[1]
    expires = run.name != b"set" or any(
        is_word(option, word) for option in run.args[3:] for word in EXPIRY_OPTIONS
    )
    found = run.events_for(key, b"set")
    return [*found, (GENERIC, b"expire", key)] if found and expires else found


def expire_events(run: CommandRun) -> list[Event]:
    """EXPIRE and its kind: `del` if the time is in the past."""
    key = run.args[1]
    return run.events_for(key, b"expire" if run.exists.get(key) else b"del")


def getex_events(run: CommandRun) -> list[Event]:
    """GETEX: as EXPIRE or as PERSIST."""
    if len(run.args) > 2 and is_word(run.args[2], b"PERSIST"):
        return run.events_for(run.args[1], b"persist")
    return expire_events(run)


def mset_events(run: CommandRun) -> list[Event]:
    """MSET, MSETNX: an event for each pair, also if a key is there twice."""
    seen: set[bytes] = set()
    found: list[Event] = []
    for key in run.args[1::2]:
        events = run.events_for(key, b"set")
        found += events[-1:] if key in seen else events
        seen.add(key)
    return found


def zadd_events(run: CommandRun) -> list[Event]:
    """ZADD: `zincr` with INCR."""
    options = run.args[2:7]
    name = b"zincr" if any(is_word(each, b"INCR") for each in options) else b"zadd"
    return run.events_for(run.args[1], name)


def move_events(run: CommandRun) -> list[Event]:
    """LMOVE and its kind: the push comes before the pop."""
    source, target = run.args[1:3]
    pops, pushes = b"rpop", b"lpush"
    if run.name.endswith(b"lmove"):
        pops = b"lpop" if is_word(run.args[3], b"LEFT") else b"rpop"
        pushes = b"lpush" if is_word(run.args[4], b"LEFT") else b"rpush"
    return [*run.events_for(target, pushes), *run.events_for(source, pops)]


def smove_events(run: CommandRun) -> list[Event]:
    """SMOVE."""
    source, target = run.args[1:3]
    if source == target:
        return []
    return [*run.events_for(source, b"srem"), *run.events_for(target, b"sadd")]


def rename_events(run: CommandRun) -> list[Event]:
    """RENAME, RENAMENX: the target is always a new key."""
    source, target = run.args[1:3]
    if source not in run.changed:
        return []
    names = (GENERIC, b"rename_from", source), (GENERIC, b"rename_to", target)
    return [(NEW, b"new", target), *names]


def copy_events(run: CommandRun) -> list[Event]:
    """COPY: the target is always a new key."""
    target = run.args[2]
    if target not in run.changed:
        return []
    return [(NEW, b"new", target), (GENERIC, b"copy_to", target)]


def pop_events(run: CommandRun) -> list[Event]:
    """LMPOP, ZMPOP and their blocking forms: the side is an argument."""
    at = 1 if run.name.startswith(b"b") else 0
    side = run.args[2 + at + int(run.args[1 + at])].lower()
    kind = b"lpop" if side == b"left" else b"rpop" if side == b"right" else b"zpop" + side
    return [event for key in run.existed for event in run.events_for(key, kind)]


def store_events(run: CommandRun) -> list[Event]:
    """Commands that store a result: `del` if it is empty."""
    name = STORE_NAMES.get(run.name, run.name)
    target = store_target(run)
    if target is None or target not in run.changed:
        return []
    if not run.exists[target]:
        return [(GENERIC, b"del", target)]
    event_class = LIST if name == b"sortstore" else run.event_class
    event = (event_class, name, target)
    return [event] if run.existed[target] else [(NEW, b"new", target), event]


def store_target(run: CommandRun) -> bytes | None:
    """Return the key that a command stores its result in; None if it stores none."""
    if run.name == b"bitop":
        return run.args[2]
    if run.name in WITH_STORE_OPTION:
        for index in range(len(run.args) - 2, 1, -1):
            if is_word(run.args[index], b"STORE") or is_word(run.args[index], b"STOREDIST"):
                return run.args[index + 1]
        return None
    return run.args[1]


EXPIRY_OPTIONS: Final = (b"EX", b"PX", b"EXAT", b"PXAT")
STORE_NAMES: Final[dict[bytes, bytes]] = {
    b"bitop": b"set",
    b"sort": b"sortstore",
    b"georadius": b"georadiusstore",
    b"georadiusbymember": b"georadiusstore",
}
WITH_STORE_OPTION: Final = frozenset({b"sort", b"georadius", b"georadiusbymember"})
SPECIAL: Final[Mapping[bytes, Callable[[CommandRun], list[Event]]]] = {
    name: handler
    for handler, names in {
        set_events: b"set setex psetex",
        expire_events: b"expire pexpire expireat pexpireat",
        getex_events: b"getex",
        mset_events: b"mset msetnx",
        zadd_events: b"zadd",
        move_events: b"lmove blmove rpoplpush brpoplpush",
        smove_events: b"smove",
        rename_events: b"rename renamenx",
        copy_events: b"copy",
        pop_events: b"lmpop blmpop zmpop bzmpop",
        store_events: b"sort bitop sinterstore sunionstore sdiffstore zinterstore zunionstore "
        b"zdiffstore zrangestore geosearchstore georadius georadiusbymember",
    }.items()
    for name in names.split()
}


# -- effects of other regions ----------------------------------------------------------------


def effect_event(types: TypeRegistry, effect: Effect) -> Event | None:
    """Return the event of an effect of another region; None if it has none.

    `del` is raised only if the key was there. An edit of a string is `setrange`, as an effect does
    not say which command made it.
    """
    code, operation, key = effect[:3]
    if code == ANY_TYPE:
        if operation == DELETE:
            return GENERIC, b"del", key
        if operation == EXPIRE:
            return GENERIC, b"persist" if effect[3] >= FOREVER else b"expire", key
        return None
    definition = types.by_code[code]
    kind = (definition.redis_name or b"module").decode()
    declared = types.operation_of(effect)
    spelling = None if declared is None else declared.spelling
    if spelling is None:
        return class_of(kind), kind.encode(), key
    if spelling.command == "KEEP":
        name = b"setrange" if spelling.form is SpellingForm.EDIT else b"set"
    elif spelling.command == "PUSH":
        name = b"lpush" if effect[5] < 0 else b"rpush"
    elif spelling.command == "ZINCRBY":
        name = b"zincr"
    else:
        name = spelling.command.lower().encode()
    return class_of(kind), name, key
