"""The model of commands on lists. Blocking ones reply immediately, as inside a transaction."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sim.redis.state import LIST, Act, CommandFailure, RedisModel, Words, bounds, integer

LEFT: Final = "LEFT"
RIGHT: Final = "RIGHT"


def elements_of(db: RedisModel, key: str) -> list[str]:
    """Return the elements of a list. Raises CommandFailure if it is of another type."""
    return list(db.read(key, LIST) or ())


def push(side: str, must_exist: bool, db: RedisModel, args: Words, _found: Any) -> Any:
    key, *pushed = args
    elements = elements_of(db, key)
    if must_exist and not elements:
        return 0
    elements = [*reversed(pushed), *elements] if side == LEFT else [*elements, *pushed]
    db.update(key, LIST, elements)
    return len(elements)


def take_elements(db: RedisModel, key: str, side: str, count: int) -> list[str]:
    """Remove up to `count` elements at one side, and return them in the order of removal."""
    elements = elements_of(db, key)
    count = min(count, len(elements))
    if side == LEFT:
        taken, left = elements[:count], elements[count:]
    else:
        taken, left = elements[len(elements) - count :][::-1], elements[: len(elements) - count]
    if taken:
        db.update(key, LIST, left)
    return taken


def pop(side: str, db: RedisModel, args: Words, _found: Any) -> Any:
    if len(args) == 1:
        taken = take_elements(db, args[0], side, 1)
        return taken[0] if taken else None
    count = integer(args[1])
    if count < 0:
        raise CommandFailure
    is_there = args[0] in db.items
    taken = take_elements(db, args[0], side, count)
    return taken if is_there else None


def list_length(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(elements_of(db, args[0]))


def get_element(db: RedisModel, args: Words, _found: Any) -> Any:
    elements, index = elements_of(db, args[0]), integer(args[1])
    return elements[index] if -len(elements) <= index < len(elements) else None


def get_elements(db: RedisModel, args: Words, _found: Any) -> Any:
    elements = elements_of(db, args[0])
    low, high = bounds(len(elements), integer(args[1]), integer(args[2]))
    return elements[low:high]


def set_element(db: RedisModel, args: Words, _found: Any) -> Any:
    elements, index = elements_of(db, args[0]), integer(args[1])
    if not -len(elements) <= index < len(elements):
        raise CommandFailure
    elements[index] = args[2]
    db.update(args[0], LIST, elements)
    return "OK"


def insert_element(db: RedisModel, args: Words, _found: Any) -> Any:
    key, where, pivot, added = args
    elements = elements_of(db, key)
    if not elements:
        return 0
    if pivot not in elements:
        return -1
    elements.insert(elements.index(pivot) + (where == "AFTER"), added)
    db.update(key, LIST, elements)
    return len(elements)


def remove_elements(db: RedisModel, args: Words, _found: Any) -> Any:
    key, count, wanted = args[0], integer(args[1]), args[2]
    elements = elements_of(db, key)
    places = [i for i, element in enumerate(elements) if element == wanted]
    if count:
        places = places[:count] if count > 0 else places[count:]
    if places:
        db.update(key, LIST, [e for i, e in enumerate(elements) if i not in places])
    return len(places)


def trim(db: RedisModel, args: Words, _found: Any) -> Any:
    elements = elements_of(db, args[0])
    low, high = bounds(len(elements), integer(args[1]), integer(args[2]))
    left = elements[low:high]
    if len(left) < len(elements):
        db.update(args[0], LIST, left)
    return "OK"


def move_element(db: RedisModel, args: Words, _found: Any) -> Any:
    source, target, here, there = args[:4]
    elements = elements_of(db, source)
    if not elements:
        return None
    others = elements_of(db, target)
    moved = elements.pop(0 if here == LEFT else -1)
    if source == target:
        others = elements
    else:
        db.update(source, LIST, elements)
    db.update(target, LIST, [moved, *others] if there == LEFT else [*others, moved])
    return moved


def move_from_tail(db: RedisModel, args: Words, found: Any) -> Any:
    return move_element(db, (args[0], args[1], RIGHT, LEFT), found)


def find_positions(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute LPOS with all its options."""
    options = dict(zip(args[2::2], map(integer, args[3::2]), strict=True))
    rank, length = options.get("RANK", 1), options.get("MAXLEN", 0)
    if rank == 0 or length < 0 or options.get("COUNT", 0) < 0:
        raise CommandFailure
    elements, wanted = elements_of(db, args[0]), args[1]
    order = list(range(len(elements)))[:: 1 if rank > 0 else -1]
    found = [i for i in order[: length or None] if elements[i] == wanted][abs(rank) - 1 :]
    if "COUNT" in options:
        return found[: options["COUNT"] or None]
    return found[0] if found else None


def pop_from_first(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute LMPOP."""
    number = integer(args[0])
    keys, side, options = args[1 : 1 + number], args[1 + number], args[2 + number :]
    count = integer(options[1]) if options else 1
    if count <= 0:
        raise CommandFailure
    for key in keys:
        if elements_of(db, key):
            return [key, take_elements(db, key, side, count)]
    return None


def pop_from_first_now(db: RedisModel, args: Words, found: Any) -> Any:
    return pop_from_first(db, args[1:], found)


def pop_now(side: str, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute BLPOP or BRPOP without blocking."""
    for key in args[:-1]:
        if elements_of(db, key):
            return [key, *take_elements(db, key, side, 1)]
    return None


LIST_COMMANDS: Final[dict[str, Act]] = {
    "LPUSH": partial(push, LEFT, False),
    "RPUSH": partial(push, RIGHT, False),
    "LPUSHX": partial(push, LEFT, True),
    "RPUSHX": partial(push, RIGHT, True),
    "LPOP": partial(pop, LEFT),
    "RPOP": partial(pop, RIGHT),
    "LLEN": list_length,
    "LINDEX": get_element,
    "LRANGE": get_elements,
    "LSET": set_element,
    "LINSERT": insert_element,
    "LREM": remove_elements,
    "LTRIM": trim,
    "LMOVE": move_element,
    "RPOPLPUSH": move_from_tail,
    "LPOS": find_positions,
    "LMPOP": pop_from_first,
    "BLPOP": partial(pop_now, LEFT),
    "BRPOP": partial(pop_now, RIGHT),
    "BLMOVE": move_element,
    "BRPOPLPUSH": move_from_tail,
    "BLMPOP": pop_from_first_now,
}
