"""The model of commands on strings."""

from __future__ import annotations

from typing import Any, Final

from sim.redis.state import (
    STRING,
    Act,
    CommandFailure,
    RedisModel,
    Words,
    add_decimals,
    add_integers,
    bounds,
    integer,
)

LIFETIMES: Final = {"EX": (1000, True), "PX": (1, True), "EXAT": (1000, False), "PXAT": (1, False)}
"""The options for a time to live: their unit in ms, and whether the time is relative."""


def positive_deadline(db: RedisModel, option: str, amount: str) -> int:
    """Return the deadline that an option of SET or GETEX stands for. Raises CommandFailure."""
    unit, is_relative = LIFETIMES[option]
    time = integer(amount)
    if time <= 0:
        raise CommandFailure
    return db.deadline_at(time, unit, is_relative)


def get(db: RedisModel, args: Words, _found: Any) -> Any:
    return db.read(args[0], STRING)


def set_value(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute SET with all its options."""
    key, value, *options = args
    deadline: int | None = None
    for option, amount in zip(options, [*options, ""][1:], strict=True):
        if option in LIFETIMES:
            deadline = positive_deadline(db, option, amount)
    before = db.items.get(key)
    reply: Any = "OK"
    if "GET" in options:
        reply = db.read(key, STRING)
    if "KEEPTTL" in options and before is not None:
        deadline = before.deadline
    if ("NX" in options and before is not None) or ("XX" in options and before is None):
        return reply if "GET" in options else None
    db.replace(key, STRING, value)
    if deadline is not None:
        db.items[key].deadline = deadline
        if deadline <= db.clock - 1:
            del db.items[key]
    return reply


def set_if_absent(db: RedisModel, args: Words, _found: Any) -> Any:
    if args[0] in db.items:
        return 0
    db.replace(args[0], STRING, args[1])
    return 1


def set_with_seconds(db: RedisModel, args: Words, found: Any) -> Any:
    return set_value(db, (args[0], args[2], "EX", args[1]), found)


def set_with_milliseconds(db: RedisModel, args: Words, found: Any) -> Any:
    return set_value(db, (args[0], args[2], "PX", args[1]), found)


def get_and_set(db: RedisModel, args: Words, found: Any) -> Any:
    return set_value(db, (*args, "GET"), found)


def get_and_delete(db: RedisModel, args: Words, _found: Any) -> Any:
    value = db.read(args[0], STRING)
    db.remove(args[0])
    return value


def get_and_expire(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute GETEX."""
    key, *options = args
    value = db.read(key, STRING)
    if value is not None and options:
        is_persistent = options == ["PERSIST"]
        db.set_deadline(key, None if is_persistent else positive_deadline(db, *options))
    return value


def append(db: RedisModel, args: Words, _found: Any) -> Any:
    value = (db.read(args[0], STRING) or "") + args[1]
    db.update(args[0], STRING, value)
    return len(value)


def string_length(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(db.read(args[0], STRING) or "")


def get_range(db: RedisModel, args: Words, _found: Any) -> Any:
    value = db.read(args[0], STRING) or ""
    low, high = byte_bounds(len(value), integer(args[1]), integer(args[2]))
    return value[low:high]


def byte_bounds(length: int, start: int, stop: int) -> tuple[int, int]:
    """Return the slice of a string that the indexes stand for.

    As in Redis, an end before the first byte stands for the first byte, except if both indexes are
    negative and in the wrong order.
    """
    if start < 0 and stop < 0 and start > stop:
        return 0, 0
    return bounds(length, start, max(stop, -length))


def set_range(db: RedisModel, args: Words, _found: Any) -> Any:
    value = db.read(args[0], STRING) or ""
    offset, part = integer(args[1]), args[2]
    if offset < 0:
        raise CommandFailure
    if part:
        value = value.ljust(offset, "\0")
        value = value[:offset] + part + value[offset + len(part) :]
        db.update(args[0], STRING, value)
    return len(value)


def change_number(db: RedisModel, key: str, amount: int) -> int:
    """Add `amount` to the integer under `key`. Return the sum."""
    held = db.read(key, STRING)
    value = add_integers(integer("0" if held is None else held), amount)
    db.update(key, STRING, str(value))
    return value


def increment(db: RedisModel, args: Words, _found: Any) -> Any:
    return change_number(db, args[0], 1)


def decrement(db: RedisModel, args: Words, _found: Any) -> Any:
    return change_number(db, args[0], -1)


def increment_by(db: RedisModel, args: Words, _found: Any) -> Any:
    return change_number(db, args[0], integer(args[1]))


def decrement_by(db: RedisModel, args: Words, _found: Any) -> Any:
    return change_number(db, args[0], -integer(args[1]))


def increment_float(db: RedisModel, args: Words, _found: Any) -> Any:
    held = db.read(args[0], STRING)
    value = add_decimals("0" if held is None else held, args[1])
    db.update(args[0], STRING, value)
    return value


def get_many(db: RedisModel, args: Words, _found: Any) -> Any:
    items = [db.items.get(key) for key in args]
    return [item.content if item is not None and item.kind == STRING else None for item in items]


def set_many(db: RedisModel, args: Words, _found: Any) -> Any:
    for key, value in zip(args[::2], args[1::2], strict=True):
        db.replace(key, STRING, value)
    return "OK"


def set_many_if_absent(db: RedisModel, args: Words, found: Any) -> Any:
    if any(key in db.items for key in args[::2]):
        return 0
    set_many(db, args, found)
    return 1


STRING_COMMANDS: Final[dict[str, Act]] = {
    "GET": get,
    "SET": set_value,
    "SETNX": set_if_absent,
    "SETEX": set_with_seconds,
    "PSETEX": set_with_milliseconds,
    "GETSET": get_and_set,
    "GETDEL": get_and_delete,
    "GETEX": get_and_expire,
    "APPEND": append,
    "STRLEN": string_length,
    "GETRANGE": get_range,
    "SUBSTR": get_range,
    "SETRANGE": set_range,
    "INCR": increment,
    "DECR": decrement,
    "INCRBY": increment_by,
    "DECRBY": decrement_by,
    "INCRBYFLOAT": increment_float,
    "MGET": get_many,
    "MSET": set_many,
    "MSETNX": set_many_if_absent,
}
