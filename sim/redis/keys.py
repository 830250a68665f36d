"""The model of commands on keys of any type: existence, names and deadlines."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any, Final

from sim.redis.state import (
    TYPE_NAMES,
    Act,
    CommandFailure,
    RedisModel,
    Words,
    integer,
)

MISSING: Final = -2
NO_EXPIRY: Final = -1


def remove_keys(db: RedisModel, args: Words, _found: Any) -> Any:
    return sum(db.remove(key) for key in dict.fromkeys(args))


def count_existing(db: RedisModel, args: Words, _found: Any) -> Any:
    return sum(key in db.items for key in args)


def type_of(db: RedisModel, args: Words, _found: Any) -> Any:
    return TYPE_NAMES[db.items[args[0]].kind] if args[0] in db.items else "none"


def move_key(is_careful: bool, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute RENAME, or RENAMENX if `is_careful`."""
    source, target = args
    if source not in db.items:
        raise CommandFailure
    if source == target:
        return 0 if is_careful else "OK"
    if is_careful and target in db.items:
        return 0
    item = db.items[source]
    db.remove(source)
    db.replace(target, item.kind, item.content, item.deadline)
    return 1 if is_careful else "OK"


def copy_key(db: RedisModel, args: Words, _found: Any) -> Any:
    source, target, *options = args
    if "DB" in options and options[options.index("DB") + 1] != "0":
        raise CommandFailure
    if source == target:
        raise CommandFailure
    if source not in db.items or (target in db.items and "REPLACE" not in options):
        return 0
    item = db.items[source]
    db.replace(target, item.kind, copy(item.content), item.deadline)
    return 1


def persist(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute PERSIST. Other regions must be told even if the key has no deadline here.

    Without that, a concurrent deadline of another region would win.
    """
    item = db.items.get(args[0])
    if item is None:
        return 0
    had_deadline = item.deadline is not None
    db.set_deadline(args[0], None)
    return int(had_deadline)


def is_allowed(condition: str, before: int | None, after: int) -> bool:
    """Return whether a condition lets a deadline replace another one, if any."""
    match condition:
        case "NX":
            return before is None
        case "XX":
            return before is not None
        case "GT":
            return before is not None and after > before
        case _:
            return before is None or after < before


def expire(unit: int, is_relative: bool, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute EXPIRE, PEXPIRE, EXPIREAT or PEXPIREAT. `unit` is in ms."""
    key, time, *conditions = args
    deadline = db.deadline_at(integer(time), unit, is_relative)
    if len(conditions) > 1 and ("NX" in conditions or {"GT", "LT"} <= set(conditions)):
        raise CommandFailure
    item = db.items.get(key)
    if item is None:
        return 0
    if not all(is_allowed(each, item.deadline, deadline) for each in conditions):
        return 0
    db.set_deadline(key, deadline)
    return 1


def read_deadline(unit: int, is_relative: bool, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute TTL, PTTL, EXPIRETIME or PEXPIRETIME. Seconds are rounded."""
    item = db.items.get(args[0])
    if item is None:
        return MISSING
    if item.deadline is None:
        return NO_EXPIRY
    time = item.deadline - (db.clock if is_relative else 0)
    return (time + unit // 2) // unit


def wait_for_regions(_db: RedisModel, _args: Words, found: Any) -> Any:
    """Execute WAIT. The model does not know other regions, so any number is right."""
    return found if isinstance(found, int) else 0


def echo(_db: RedisModel, args: Words, _found: Any) -> Any:
    return args[0]


KEY_COMMANDS: Final[dict[str, Act]] = {
    "DEL": remove_keys,
    "UNLINK": remove_keys,
    "EXISTS": count_existing,
    "TOUCH": count_existing,
    "TYPE": type_of,
    "RENAME": partial(move_key, False),
    "RENAMENX": partial(move_key, True),
    "COPY": copy_key,
    "PERSIST": persist,
    "EXPIRE": partial(expire, 1000, True),
    "PEXPIRE": partial(expire, 1, True),
    "EXPIREAT": partial(expire, 1000, False),
    "PEXPIREAT": partial(expire, 1, False),
    "TTL": partial(read_deadline, 1000, True),
    "PTTL": partial(read_deadline, 1, True),
    "EXPIRETIME": partial(read_deadline, 1000, False),
    "PEXPIRETIME": partial(read_deadline, 1, False),
    "WAIT": wait_for_regions,
    "ECHO": echo,
}
