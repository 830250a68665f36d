"""The model of commands on hashes."""

from __future__ import annotations

from typing import Any, Final

from sim.redis.state import (
    HASH,
    Act,
    AnyOrder,
    RedisModel,
    Words,
    add_decimals,
    add_integers,
    choose_random,
    flatten,
    integer,
    items_in,
)


def fields_of(db: RedisModel, key: str) -> dict[str, str]:
    """Return the fields of a hash. Raises CommandFailure if it is of another type."""
    return db.read(key, HASH) or {}


def set_fields(db: RedisModel, args: Words, _found: Any) -> Any:
    before = fields_of(db, args[0])
    after = before | dict(zip(args[1::2], args[2::2], strict=True))
    db.update(args[0], HASH, after)
    return len(after) - len(before)


def set_fields_as_before(db: RedisModel, args: Words, found: Any) -> Any:
    set_fields(db, args, found)
    return "OK"


def set_field_if_absent(db: RedisModel, args: Words, found: Any) -> Any:
    return 0 if args[1] in fields_of(db, args[0]) else set_fields(db, args, found)


def get_field(db: RedisModel, args: Words, _found: Any) -> Any:
    return fields_of(db, args[0]).get(args[1])


def get_fields(db: RedisModel, args: Words, _found: Any) -> Any:
    fields = fields_of(db, args[0])
    return [fields.get(name) for name in args[1:]]


def get_all(db: RedisModel, args: Words, _found: Any) -> Any:
    return AnyOrder(tuple(flatten(fields_of(db, args[0]).items())), 2)


def get_names(db: RedisModel, args: Words, _found: Any) -> Any:
    return AnyOrder(tuple(fields_of(db, args[0])))


def get_values(db: RedisModel, args: Words, _found: Any) -> Any:
    return AnyOrder(tuple(fields_of(db, args[0]).values()))


def count_fields(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(fields_of(db, args[0]))


def has_field(db: RedisModel, args: Words, _found: Any) -> Any:
    return int(args[1] in fields_of(db, args[0]))


def field_length(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(fields_of(db, args[0]).get(args[1], ""))


def remove_fields(db: RedisModel, args: Words, _found: Any) -> Any:
    before = fields_of(db, args[0])
    after = {name: value for name, value in before.items() if name not in args[1:]}
    if len(after) < len(before):
        db.update(args[0], HASH, after)
    return len(before) - len(after)


def increment_field(db: RedisModel, args: Words, _found: Any) -> Any:
    amount = integer(args[2])
    fields = fields_of(db, args[0])
    value = add_integers(integer(fields.get(args[1], "0")), amount)
    db.update(args[0], HASH, fields | {args[1]: str(value)})
    return value


def increment_field_float(db: RedisModel, args: Words, _found: Any) -> Any:
    fields = fields_of(db, args[0])
    value = add_decimals(fields.get(args[1], "0"), args[2])
    db.update(args[0], HASH, fields | {args[1]: value})
    return value


def random_fields(db: RedisModel, args: Words, found: Any) -> Any:
    fields = fields_of(db, args[0])
    if len(args) < 3:
        return choose_random(fields, args[1:], found)
    names = choose_random(fields, args[1:2], items_in(found)[::2])
    return flatten((name, fields[name]) for name in names)


HASH_COMMANDS: Final[dict[str, Act]] = {
    "HSET": set_fields,
    "HMSET": set_fields_as_before,
    "HSETNX": set_field_if_absent,
    "HGET": get_field,
    "HMGET": get_fields,
    "HGETALL": get_all,
    "HKEYS": get_names,
    "HVALS": get_values,
    "HLEN": count_fields,
    "HEXISTS": has_field,
    "HSTRLEN": field_length,
    "HDEL": remove_fields,
    "HINCRBY": increment_field,
    "HINCRBYFLOAT": increment_field_float,
    "HRANDFIELD": random_fields,
}
