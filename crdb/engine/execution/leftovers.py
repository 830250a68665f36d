"""The remains of large requests: arguments and effects that are to be freed.

Freeing a million strings takes a tenth of a second. So the lists that hold them are kept when the
request has ended, and emptied in slices.
"""

from __future__ import annotations

from typing import Any, Final, cast

from crdt.store.keyspace import Keyspace

LONG_BYTES: Final = 64 << 10
"""Effects of more bytes, as the keyspace counts those of long effects, are freed in slices."""


class Leftovers:
    """Lists of strings, and of effects, which are tuples of strings."""

    __slots__ = ("lists",)

    def __init__(self) -> None:
        self.lists: list[list[Any]] = []

    def add(self, held: list[Any]) -> None:
        """Keep a list that nobody else changes."""
        self.lists.append(held)

    def free_slice(self, items: int) -> None:
        """Free about so many items. There must be some."""
        held = self.lists[-1]
        while held and items > 0:
            freed = held.pop()
            items -= len(cast("tuple[Any, ...]", freed)) if isinstance(freed, tuple) else 1
        if not held:
            self.lists.pop()


def has_many_items(db: Keyspace, effects: int) -> bool:
    """Return whether the outbox holds more than so many effects, or long ones."""
    return db.pending_count() > effects or db.pending_bytes() > LONG_BYTES
