"""Commands of the built-in types as plain values, and their execution by a replica.

`TypeCommand("SADD", "k", ("a",))` corresponds to the Redis command. Execution works as in a server
or a handle: look the key up, refuse another type, write. The meaning of a command may depend on the
state of its region, for example of APPEND or of a removal by index. Execution therefore returns the
resolved command, with whole values and with elements named by identity. The history records the
resolved command, and the specification reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import attrs

from crdt.causality.dots import Dot
from crdt.causality.schema import FOREVER
from crdt.errors import WrongType
from crdt.numbers import long_double
from crdt.numbers.long_double import LongDouble
from crdt.numbers.number import decimal_of
from crdt.store.keyspace import Keyspace
from crdt.structures.large_text import overwritten
from crdt.structures.runs import INDEX_MAX
from crdt.types.components.run_tree import element_dot
from crdt.types.flag import DISABLE_WINS, ENABLE_WINS, DisableWinsFlag, EnableWinsFlag
from crdt.types.grow_counter import GrowCounter
from crdt.types.hash import Hash
from crdt.types.hyperloglog import HyperLogLog
from crdt.types.list import List
from crdt.types.multi_value import MultiValue
from crdt.types.remove_wins_set import RemoveWinsSet
from crdt.types.set import Set
from crdt.types.sorted_set import SortedSet
from crdt.types.string import String
from crdt.writes import flag, hyperloglog, multi_value
from crdt.writes import grow_counter as counter_grow
from crdt.writes import hash as hashes
from crdt.writes import list as lists
from crdt.writes import remove_wins_set as remove_wins
from crdt.writes import set as sets
from crdt.writes import sorted_set as zsets
from crdt.writes import string as strings


@attrs.frozen
class TypeCommand:
    """A command with its name, key and arguments."""

    name: str
    key: str = ""
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return " ".join(str(item) for item in (self.name, self.key, *self.args) if item != "")


def command(text: str) -> TypeCommand:
    """Return the command in a text such as `ZADD k a 1.5`. Arguments may be numbers."""
    name, *rest = text.split()
    return TypeCommand(
        name, rest[0] if rest else "", tuple(number_or_text(item) for item in rest[1:])
    )


def number_or_text(item: str) -> int | float | str:
    """Return the argument that `item` represents. Quoted digits are text."""
    if item.startswith("'"):
        return item.strip("'")
    try:
        return int(item)
    except ValueError:
        pass
    try:
        return float(item)
    except ValueError:
        return item


def held(db: Keyspace, key: bytes, kind: type[Any]) -> Any:
    """Return the value to be written, or None for a missing key. Raises WrongType."""
    value = db.lookup_for_write(key)
    if value is not None and type(value) is not kind:
        raise WrongType(f"{key!r} holds a {type(value).__name__}")
    return value


def encode(item: object) -> bytes:
    """Return an argument as bytes."""
    return str(item).encode()


# -- keys --------------------------------------------------------------------------------------


def delete(db: Keyspace, asked: TypeCommand) -> None:
    db.delete(encode(asked.key))


def flush(db: Keyspace, asked: TypeCommand) -> None:
    db.flush()


def expire(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """EXPIRE: set a deadline relative to the region's own clock."""
    key = encode(asked.key)
    if db.lookup_for_write(key) is None:
        return None
    deadline = db.expiry_clock + int(asked.args[0])
    db.expire(key, deadline)
    return TypeCommand("EXPIREAT", asked.key, (deadline,))


def persist(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    if db.lookup_for_write(key) is not None:
        db.expire(key, None)


# -- strings -----------------------------------------------------------------------------------


def assign(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """SET. Over a value of another type, or of several types, it is a DEL and a SET."""
    key = encode(asked.key)
    is_anew = db.held(key) is not None and strings.sole_string(db, key) is None
    strings.assign(db, key, encode(asked.args[0]))
    return TypeCommand("RENEW", asked.key, (asked.args[0], None)) if is_anew else None


def assign_keep(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """SET KEEPTTL."""
    key = encode(asked.key)
    db.lookup_for_write(key)
    is_anew = db.held(key) is not None and strings.sole_string(db, key) is None
    deadline = db.deadline(key)
    strings.assign(db, key, encode(asked.args[0]), True)
    if is_anew:
        return TypeCommand("RENEW", asked.key, (asked.args[0], deadline))
    return None


def append(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """APPEND: a SET KEEPTTL of the whole resulting string."""
    value = held(db, encode(asked.key), String)
    whole = (value.read().decode() if value is not None else "") + str(asked.args[0])
    return assign_keep(db, TypeCommand("KEEP", asked.key, (whole,))) or TypeCommand(
        "KEEP", asked.key, (whole,)
    )


def set_range(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """SETRANGE: a SET KEEPTTL of the whole resulting string. However short the string is, the
    effect carries only the change where that is possible."""
    key = encode(asked.key)
    value = held(db, key, String)
    is_anew = key in db.data and strings.sole_string(db, key) is None
    deadline = db.deadline(key)
    offset, patch = int(asked.args[0]), encode(asked.args[1])
    whole = overwritten(b"" if value is None else value.read(), offset, patch).decode()
    strings.edit(db, key, offset, patch, 0)
    if is_anew:
        return TypeCommand("RENEW", asked.key, (whole, deadline))
    return TypeCommand("KEEP", asked.key, (whole,))


def increment(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """INCRBY. For a fraction, the resolved command holds the exact difference."""
    key = encode(asked.key)
    value = held(db, key, String)
    delta = asked.args[0]
    if isinstance(delta, int):
        strings.increment(db, key, delta)
        return None
    before = Decimal(0) if value is None else exact_value(value)
    after = strings.increment_decimal(db, key, long_double_of(delta))
    return TypeCommand("INCRBY", asked.key, (Decimal(after.decode()) - before,))


def exact_value(value: String) -> Decimal:
    """Return the exact number of a string, before it is rounded for display."""
    number = value.number()
    return decimal_of(0 if number is None else number)


def long_double_of(delta: float) -> LongDouble:
    """Return a finite number as a long double, as INCRBYFLOAT parses it."""
    number = long_double.parse(repr(delta).encode())
    assert number is not None
    return number


# -- sets, hashes, sorted sets -------------------------------------------------------------------


def set_add(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, Set)
    sets.add(db, key, [encode(member) for member in asked.args])


def set_remove(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, Set)
    sets.remove(db, key, [encode(member) for member in asked.args])


def hash_assign(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, Hash)
    hashes.assign(db, key, [encode(item) for item in asked.args])


def hash_remove(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, Hash)
    hashes.remove(db, key, [encode(field) for field in asked.args])


def hash_increment(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """HINCRBY. For a fraction, the resolved command holds the exact difference."""
    key, field, delta = encode(asked.key), encode(asked.args[0]), asked.args[1]
    value = held(db, key, Hash)
    name = "HANEW" if hashes.remnants(db, key, [field]) else "HINCRBY"
    if isinstance(delta, int):
        hashes.increment(db, key, field, delta)
        return TypeCommand(name, asked.key, asked.args)
    register = None if value is None else value.find(field)
    before = Decimal(0) if register is None else exact_value(register)
    after = hashes.increment_decimal(db, key, field, long_double_of(delta))
    return TypeCommand(name, asked.key, (asked.args[0], Decimal(after.decode()) - before))


def hash_expire(db: Keyspace, asked: TypeCommand) -> TypeCommand:
    """HPEXPIREAT. Fields that do not exist are left out. A deadline that has passed removes."""
    key, deadline = encode(asked.key), int(asked.args[0])
    value = held(db, key, Hash)
    fields = [f for f in asked.args[1:] if value is not None and value.has(encode(f))]
    if not fields:
        return TypeCommand("HTTL", asked.key)
    names = [encode(field) for field in fields]
    if deadline <= db.expiry_clock:
        hashes.remove(db, key, names)
        return TypeCommand("HDEL", asked.key, tuple(fields))
    hashes.expire(db, key, names, deadline)
    return TypeCommand("HPEXPIREAT", asked.key, (deadline, *fields))


def hash_persist(db: Keyspace, asked: TypeCommand) -> TypeCommand:
    """HPERSIST."""
    key, field = encode(asked.key), asked.args[0]
    value = held(db, key, Hash)
    if value is None or value.deadline_of(encode(field)) is None:
        return TypeCommand("HTTL", asked.key)
    hashes.expire(db, key, [encode(field)], None)
    return TypeCommand("HPEXPIREAT", asked.key, (FOREVER, field))


def zset_assign(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, SortedSet)
    pairs = zip(asked.args[::2], asked.args[1::2], strict=True)
    zsets.assign(db, key, [item for member, s in pairs for item in (encode(member), float(s))])


def zset_remove(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, SortedSet)
    zsets.remove(db, key, [encode(member) for member in asked.args])


def zset_increment(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, SortedSet)
    zsets.increment(db, key, encode(asked.args[0]), float(asked.args[1]))


# -- types of embedding programs only -------------------------------------------------------------


def raise_registers(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """Raise registers of a HyperLogLog. What changes nothing is no operation."""
    key = encode(asked.key)
    value = held(db, key, HyperLogLog)
    if hyperloglog.raise_registers(db, key, value, [int(code) for code in asked.args]):
        return None
    return TypeCommand("PFCOUNT", asked.key)


def multi_assign(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, MultiValue)
    multi_value.assign(db, key, encode(asked.args[0]))


def remove_wins_change(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, RemoveWinsSet)
    change = remove_wins.add if asked.name == "RWADD" else remove_wins.remove
    change(db, key, [encode(member) for member in asked.args])


def grow(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    held(db, key, GrowCounter)
    counter_grow.increment(db, key, int(asked.args[0]))


def flag_change(db: Keyspace, asked: TypeCommand) -> None:
    key = encode(asked.key)
    wins = asked.name.startswith("DW")
    held(db, key, DisableWinsFlag if wins else EnableWinsFlag)
    change = flag.enable if asked.name.endswith("ENABLE") else flag.disable
    change(db, key, DISABLE_WINS if wins else ENABLE_WINS)


# -- lists -------------------------------------------------------------------------------------

Identity = tuple[int, int]  # the dot of the effect that inserted an element, and its index there


def identities(value: List) -> list[Identity]:
    """Return the identities of the elements, in order."""
    return [element_identity(dot, key) for _, dot, key in value.positions(0, value.length())]


def element_identity(dot: Dot, key: int) -> Identity:
    """Return the identity of the element `key` of the run `dot`."""
    return element_dot(dot, key), abs(key) & INDEX_MAX


def list_change(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """Execute a list command. Check that its region then shows the result of a Python list."""
    key = encode(asked.key)
    value = held(db, key, List)
    before: list[bytes] = [] if value is None else value.values(0, value.length())
    names = [] if value is None else identities(value)
    came_to = LIST_PERFORM[asked.name](db, key, names, asked)
    expected = list(before)
    if came_to is not None:
        LIST_MODEL[asked.name](expected, asked)
    value = db.lookup(key)
    if not db.is_contested(key):  # else another type may be visible now
        after = value.values(0, value.length()) if isinstance(value, List) else []
        assert after == expected, f"{asked} made {before} into {after}"
    return came_to


def list_push(db: Keyspace, key: bytes, names: list[Identity], asked: TypeCommand) -> TypeCommand:
    push = lists.push_tail if asked.name == "RPUSH" else lists.push_head
    push(db, key, [encode(item) for item in asked.args])
    return TypeCommand("PUSH", asked.key, asked.args)


def list_insert(db: Keyspace, key: bytes, names: list[Identity], asked: TypeCommand) -> TypeCommand:
    lists.insert(db, key, int(asked.args[0]), encode(asked.args[1]))
    return TypeCommand("PUSH", asked.key, asked.args[1:])


def list_assign(
    db: Keyspace, key: bytes, names: list[Identity], asked: TypeCommand
) -> TypeCommand | None:
    index = int(asked.args[0])
    if index >= len(names):
        return None
    lists.assign(db, key, index, encode(asked.args[1]))
    return TypeCommand("LSET", asked.key, (names[index], asked.args[1]))


def list_remove(
    db: Keyspace, key: bytes, names: list[Identity], asked: TypeCommand
) -> TypeCommand | None:
    value = db.lookup(key)
    start, stop = int(asked.args[0]), int(asked.args[1])
    chosen = names[start:stop]
    if not chosen or not isinstance(value, List):
        return None
    lists.remove_range(db, key, start, min(stop, value.length()))
    return TypeCommand("LREM", asked.key, tuple(chosen))


def list_pop(
    db: Keyspace, key: bytes, names: list[Identity], asked: TypeCommand
) -> TypeCommand | None:
    if not names:
        return None
    index = 0 if asked.name == "LPOP" else -1
    lists.pop(db, key, index)
    return TypeCommand("LREM", asked.key, (names[index],))


def model_push_head(items: list[bytes], asked: TypeCommand) -> None:
    items[:0] = [encode(item) for item in reversed(asked.args)]


def model_insert(items: list[bytes], asked: TypeCommand) -> None:
    items.insert(int(asked.args[0]), encode(asked.args[1]))


def model_assign(items: list[bytes], asked: TypeCommand) -> None:
    items[int(asked.args[0])] = encode(asked.args[1])


def model_remove(items: list[bytes], asked: TypeCommand) -> None:
    del items[int(asked.args[0]) : int(asked.args[1])]


ListPerform = Callable[[Keyspace, bytes, list[Identity], TypeCommand], TypeCommand | None]

LIST_PERFORM: Final[dict[str, ListPerform]] = {
    "RPUSH": list_push,
    "LPUSH": list_push,
    "LINSERT": list_insert,
    "LSET": list_assign,
    "LTRIM": list_remove,
    "LPOP": list_pop,
    "RPOP": list_pop,
}

LIST_MODEL: Final[dict[str, Callable[[list[bytes], TypeCommand], None]]] = {
    "RPUSH": lambda items, asked: items.extend(encode(item) for item in asked.args),
    "LPUSH": model_push_head,
    "LINSERT": model_insert,
    "LSET": model_assign,
    "LTRIM": model_remove,
    "LPOP": lambda items, asked: items.__delitem__(0),
    "RPOP": lambda items, asked: items.__delitem__(-1),
}

KEY_COMMANDS: Final[dict[str, Callable[[Keyspace, TypeCommand], TypeCommand | None]]] = {
    "DEL": delete,
    "FLUSHALL": flush,
    "EXPIRE": expire,
    "PERSIST": persist,
}
"""The commands on keys of any type."""
