"""Values that must have the type of a command."""

from __future__ import annotations

from typing import TypeVar

from crdb.engine.errors import WRONG_TYPE, CommandError
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value

V = TypeVar("V", bound=Value)


def read_typed(db: Keyspace, key: bytes, kind: type[V]) -> V | None:
    """Return the value under `key`, or None. Raises CommandError for another type than `kind`."""
    value = db.read(key)
    if value is None or isinstance(value, kind):
        return value
    raise CommandError(WRONG_TYPE)


def read_typed_for_write(db: Keyspace, key: bytes, kind: type[V]) -> V | None:
    """Return the same after removing an expired value."""
    value = db.lookup_for_write(key)
    if value is None or isinstance(value, kind):
        return value
    raise CommandError(WRONG_TYPE)


def read_for_next_slice(db: Keyspace, key: bytes, kind: type[V]) -> V | None:
    """Return the value of type `kind` under a key that a command in slices has to itself, and that
    it has written already.

    Regions may have created the key with different types. What the command writes in one slice may
    then make another type the one that is shown, before the next slice.
    """
    for part in db.live_parts(key):
        if isinstance(part, kind):
            return part
    return None
