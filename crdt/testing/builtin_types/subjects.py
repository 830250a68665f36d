"""The subjects for the built-in types: each type alone, and all types on the same keys."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

from crdt.causality.effect import FORGET, Effect
from crdt.embed.replica import Replica
from crdt.testing.builtin_types.commands import TypeCommand, carry_out, command
from crdt.testing.builtin_types.indexes import Indexes
from crdt.testing.builtin_types.specifications import keyspace
from crdt.testing.subject import Subject
from crdt.types.components.contested import Contested
from crdt.types.registry import DEFINITIONS

KEYS: Final = ("k", "l", "m", "n")
BLOCK_MAX: Final = 2
"""The largest number of elements in a list block, so that short lists have several blocks."""
DIVIDED: Final = tuple(
    partial(each.make_divided, BLOCK_MAX) for each in DEFINITIONS if each.make_divided is not None
)
"""The types with blocks of that size."""
NAMES: Final = {each.code: each.name for each in DEFINITIONS}
"""The names of the types, which the specifications use too."""
POSITIONED: Final = frozenset(each.name for each in DEFINITIONS if each.has_positions)
"""The types whose element order is checked by `ListOrder`. `read` sorts their elements."""

STRING: Final = (
    "SET k a",
    "SET k '7'",
    "APPEND k '5'",
    "INCRBY k 1",
    "INCRBY k 10",
    "INCRBY k 0.1",
    "SET k '7.0'",
)
SET: Final = ("SADD k a", "SADD k a b c", "SREM k a", "SREM k b c", "SADD k d")
HASH: Final = (
    "HSET k f a",
    "HSET k f '7' g '8'",
    "HINCRBY k f 1",
    "HINCRBY k g 10",
    "HDEL k f",
    "HDEL k f g",
    "HINCRBY k f 0.1",
)
SORTED_SET: Final = (
    "ZADD k a 1.0",
    "ZADD k a 2.5 b 3.0",
    "ZINCRBY k a 1.0",
    "ZINCRBY k b 0.5",
    "ZREM k a",
    "ZREM k a b",
)
LIST: Final = (
    "RPUSH k a",
    "RPUSH k b c d",
    "LPUSH k e",
    "LPUSH k f g h",
    "LINSERT k 1 i",
    "LINSERT k 2 j",
    "LSET k 0 m",
    "LSET k 0 o",
    "LSET k 0 p",
    "LSET k 1 n",
    "LPOP k",
    "RPOP k",
    "LTRIM k 1 3",
)
EXPIRY: Final = ("EXPIRE k 10", "EXPIRE k 40", "EXPIRE k 200", "PERSIST k")
MORTAL: Final = (
    *EXPIRY,
    *EXPIRY,
    "SADD k a",
    "SADD k b",
    "SREM k a",
    "SET k a",
    "INCRBY k 1",
    "DEL k",
)
MULTI_VALUE: Final = ("MVSET k a", "MVSET k b", "MVSET k c")
REMOVE_WINS: Final = ("RWADD k a", "RWADD k a b c", "RWREM k a", "RWREM k b c", "RWREM k a b")
GROW: Final = ("GROWBY k 1", "GROWBY k 10", "GROWBY k 100")
FLAGS: Final = ("EWENABLE k", "EWDISABLE k", "DWENABLE l", "DWDISABLE l", "DEL l")
KEY: Final = ("DEL k", "FLUSHALL")


def read(replica: Replica) -> dict[str, Any]:
    """Return the type, value and deadline of each key. Lists are sorted (see `ListOrder`)."""
    db = replica.keyspace
    shown: dict[str, Any] = {}
    keys = db.keys()
    for key in keys:
        value = db.lookup(key)
        assert value is not None
        assert not isinstance(value, Contested)
        kind, seen = NAMES[value.code()], text_of(value.visible())
        shown[key.decode()] = kind, sorted(seen) if kind in POSITIONED else seen, db.deadline(key)
    return shown


def text_of(value: Any) -> Any:
    """Return a value with all nested bytes as text."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [text_of(item) for item in cast("list[Any]", value)]
    if isinstance(value, tuple):
        return tuple(text_of(item) for item in cast("tuple[Any, ...]", value))
    return value


def collected(effect: Effect) -> TypeCommand:
    """Return the command for an effect of garbage collection: DEL of an expired key, or FORGET of
    deadlines."""
    return TypeCommand("FORGET" if effect[1] == FORGET else "DEL", effect[2].decode())


def subject(name: str, *families: tuple[str, ...], types: tuple[Any, ...] = ()) -> Subject:
    """Return a subject with these families of commands. `types` are made in another way than
    usual."""
    commands = tuple(command(text) for family in families for text in family)
    return Subject(
        name,
        commands,
        carry_out,
        read,
        keyspace,
        types=types,
        extra_check=lambda: Indexes(KEYS),
        collected=collected,
    )


def elsewhere(key: str, *families: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same commands for another key."""
    return tuple(text.replace(" k", f" {key}", 1) for family in families for text in family)


SUBJECTS: Final = {
    each.name: each
    for each in (
        subject("string", STRING, KEY),
        subject("set", SET, KEY),
        subject("hash", HASH, KEY),
        subject("sorted-set", SORTED_SET, KEY),
        subject("list", LIST, KEY, types=DIVIDED),
        subject("multi-value", MULTI_VALUE, KEY),
        subject("set-remove-wins", REMOVE_WINS, KEY),
        subject("counter-grow", GROW, KEY),
        subject("flag", FLAGS, KEY),
        subject("embedded", MULTI_VALUE, REMOVE_WINS, GROW, FLAGS, SET[:3], EXPIRY[:1], KEY),
        subject("expiry", *(elsewhere(key, MORTAL) for key in "klmn")),
        subject(
            "contest",
            *(STRING, SET[:3], HASH[:3], LIST[:4], KEY, elsewhere("l", STRING[:3], SET[:2])),
            types=DIVIDED,
        ),
        subject(
            "keyspace",
            *(STRING, SET, HASH, SORTED_SET, LIST, EXPIRY, KEY, elsewhere("l", STRING)),
            types=DIVIDED,
        ),
    )
}
