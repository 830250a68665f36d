"""The subjects for the built-in types: each type alone, and all types on the same keys."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

from crdt.causality.effect import FORGET, Effect
from crdt.embed.replica import Replica
from crdt.errors import CRDTError
from crdt.testing.builtin_types.commands import KEY_COMMANDS, TypeCommand, command
from crdt.testing.builtin_types.indexes import Indexes
from crdt.testing.builtin_types.specifications import SPECIFICATIONS, keyspace
from crdt.testing.builtin_types.type_specification import Perform
from crdt.testing.subject import Subject
from crdt.types.components.contested import Contested
from crdt.types.components.fields import REMOVE
from crdt.types.hash import HASH as HASH_CODE
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

SAMPLES: Final = {name: each.samples for name, each in SPECIFICATIONS.items()}
EMBEDDED_TYPES: Final = (
    "multi-value",
    "remove-wins set",
    "growing counter",
    "enable-wins flag",
    "disable-wins flag",
)
"""The types that only embedding programs use."""
STRING: Final = SAMPLES["string"]
SET: Final = SAMPLES["set"]
HASH: Final = SAMPLES["hash"]
SORTED_SET: Final = SAMPLES["sorted set"]
LIST: Final = SAMPLES["list"]
HYPERLOGLOG: Final = SAMPLES["hyperloglog"]
STREAM: Final = SAMPLES["stream"]
EMBEDDED: Final = tuple(sample for name in EMBEDDED_TYPES for sample in SAMPLES[name])
EXPIRY: Final = ("EXPIRE k 10", "EXPIRE k 40", "EXPIRE k 200", "PERSIST k")
MORTAL: Final = (
    *EXPIRY,
    *EXPIRY,
    "SADD k a",
    "SADD k b",
    "SREM k a",
    "SET k a",
    "INCRBY k 1",
    "PFRAISE k 65",
    "DEL k",
)
KEY: Final = ("DEL k", "FLUSHALL")


PERFORM: Final[dict[str, Perform]] = {
    **KEY_COMMANDS,
    **{name: run for each in SPECIFICATIONS.values() for name, run in each.perform.items()},
}
"""The execution of each command."""


def carry_out(replica: Replica, asked: TypeCommand) -> TypeCommand:
    """Execute a command and return the resolved command. A refused command has no effect."""
    try:
        came_to = PERFORM[asked.name](replica.keyspace, asked)
    except CRDTError:
        return asked
    return asked if came_to is None else came_to


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
    """Return the command for an effect of garbage collection: DEL of an expired key, HDEL of
    expired fields, or FORGET of deadlines."""
    if effect[0] == HASH_CODE:
        fields = effect[3:] if effect[1] == REMOVE else effect[3:4]
        return TypeCommand("HDEL", effect[2].decode(), tuple(each.decode() for each in fields))
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


def subject_alone(name: str) -> Subject:
    """Return the subject of one type, or of types that are tested together."""
    families = [each.samples for each in SPECIFICATIONS.values() if each.subject == name]
    return subject(name, *families, KEY, types=DIVIDED if name in ("list", "stream") else ())


SINGLE: Final = tuple(dict.fromkeys(each.subject for each in SPECIFICATIONS.values()))

SUBJECTS: Final = {
    each.name: each
    for each in (
        *(subject_alone(name) for name in SINGLE),
        subject("embedded", EMBEDDED, SET[:3], EXPIRY[:1], KEY),
        subject("expiry", *(elsewhere(key, MORTAL) for key in "klmn")),
        subject(
            "contest",
            *(STRING, SET[:3], HASH[:3], LIST[:4], HYPERLOGLOG, STREAM, KEY),
            elsewhere("l", STRING[:3], SET[:2]),
            types=DIVIDED,
        ),
        subject(
            "keyspace",
            *(
                STRING,
                SET,
                HASH,
                SORTED_SET,
                LIST,
                STREAM[::2],
                EXPIRY,
                KEY,
                elsewhere("l", STRING),
            ),
            types=DIVIDED,
        ),
    )
}
