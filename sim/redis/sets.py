"""The model of commands on sets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from sim.redis.state import (
    SET,
    Act,
    AnyOrder,
    CommandFailure,
    RedisModel,
    Words,
    choose_random,
    integer,
    items_in,
)

Combine: TypeAlias = Callable[[list[set[str]]], set[str]]


def members_of(db: RedisModel, key: str) -> set[str]:
    """Return the members of a set. Raises CommandFailure if it is of another type."""
    return set(db.read(key, SET) or ())


def add_members(db: RedisModel, args: Words, _found: Any) -> Any:
    before = members_of(db, args[0])
    after = before | set(args[1:])
    db.update(args[0], SET, after)
    return len(after) - len(before)


def remove_members(db: RedisModel, args: Words, _found: Any) -> Any:
    before = members_of(db, args[0])
    after = before - set(args[1:])
    if len(after) < len(before):
        db.update(args[0], SET, after)
    return len(before) - len(after)


def count_members(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(members_of(db, args[0]))


def has_member(db: RedisModel, args: Words, _found: Any) -> Any:
    return int(args[1] in members_of(db, args[0]))


def has_members(db: RedisModel, args: Words, _found: Any) -> Any:
    members = members_of(db, args[0])
    return [int(name in members) for name in args[1:]]


def list_members(db: RedisModel, args: Words, _found: Any) -> Any:
    return AnyOrder(tuple(members_of(db, args[0])))


def move_member(db: RedisModel, args: Words, _found: Any) -> Any:
    source, target, member = args
    if source not in db.items:
        return 0
    members, others = members_of(db, source), members_of(db, target)
    if member not in members:
        return 0
    if source != target:
        db.update(source, SET, members - {member})
        db.update(target, SET, others | {member})
    return 1


def pop_members(db: RedisModel, args: Words, found: Any) -> Any:
    if args[1:] and integer(args[1]) < 0:
        raise CommandFailure
    members = members_of(db, args[0])
    chosen = choose_random(members, args[1:], found)
    gone = set(items_in(chosen)) if args[1:] else {chosen} & members
    if gone:
        db.update(args[0], SET, members - gone)
    return chosen


def random_members(db: RedisModel, args: Words, found: Any) -> Any:
    return choose_random(members_of(db, args[0]), args[1:], found)


def combined(db: RedisModel, combine: Combine, keys: Words) -> set[str]:
    """Return the union, intersection or difference of sets."""
    return combine([members_of(db, key) for key in keys])


def union(sets: list[set[str]]) -> set[str]:
    return sets[0].union(*sets[1:])


def intersection(sets: list[set[str]]) -> set[str]:
    return sets[0].intersection(*sets[1:])


def difference(sets: list[set[str]]) -> set[str]:
    return sets[0].difference(*sets[1:])


def combine_members(combine: Combine, db: RedisModel, args: Words, _found: Any) -> Any:
    return AnyOrder(tuple(combined(db, combine, args)))


def store_members(combine: Combine, db: RedisModel, args: Words, _found: Any) -> Any:
    after = combined(db, combine, args[1:])
    db.replace(args[0], SET, after)
    return len(after)


def count_intersection(db: RedisModel, args: Words, _found: Any) -> Any:
    count = integer(args[0])
    keys, options = args[1 : 1 + count], args[1 + count :]
    limit = integer(options[1]) if options else 0
    if limit < 0:
        raise CommandFailure
    size = len(combined(db, intersection, keys))
    return min(size, limit) if limit else size


SET_COMMANDS: Final[dict[str, Act]] = {
    "SADD": add_members,
    "SREM": remove_members,
    "SCARD": count_members,
    "SISMEMBER": has_member,
    "SMISMEMBER": has_members,
    "SMEMBERS": list_members,
    "SMOVE": move_member,
    "SPOP": pop_members,
    "SRANDMEMBER": random_members,
    "SUNION": partial(combine_members, union),
    "SINTER": partial(combine_members, intersection),
    "SDIFF": partial(combine_members, difference),
    "SUNIONSTORE": partial(store_members, union),
    "SINTERSTORE": partial(store_members, intersection),
    "SDIFFSTORE": partial(store_members, difference),
    "SINTERCARD": count_intersection,
}
