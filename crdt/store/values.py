"""The values of a keyspace behind one interface: get, put, drop, iterate.

The keyspace holds its values in two stores, one for those that readers see and one for tombstones.
A store may keep values elsewhere than in memory, but its keys are always in memory (`index`), as
every read begins with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crdt.types.base import Value


class ValueStore:
    """Values by key.

    `get` may return a copy (`returns_copies`). A change of a copy counts from the next `put` on. A
    change of a value that the store itself holds counts immediately, and a `put` does no harm.

    A store keeps `Value.state` and `Value.accessed`. The rest, such as the order in which members
    are sampled, may be lost between `put` and `get`.
    """

    __slots__ = ("index", "returns_copies")

    def __init__(self) -> None:
        self.returns_copies: bool = True
        self.index: dict[bytes, Any] = {}
        """The keys, the oldest first. What they map to is known to the store alone."""

    def get(self, key: bytes) -> Value | None:
        """Return the value of a key, None if there is none."""
        raise NotImplementedError

    def put(self, key: bytes, value: Value) -> None:
        """Keep a value under a key, in place of the one that it had."""
        raise NotImplementedError

    def drop(self, key: bytes) -> None:
        """Remove a key, if it is there."""
        self.index.pop(key, None)

    def clear(self) -> None:
        """Remove all keys."""
        self.index.clear()

    def __contains__(self, key: bytes) -> bool:
        return key in self.index

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: bytes) -> Value:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value


class MemoryStore(ValueStore):
    """Values in memory: `index` is the dict of the values themselves, and `get` returns them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.returns_copies = False

    def get(self, key: bytes) -> Value | None:
        value: Value | None = self.index.get(key)
        return value

    def put(self, key: bytes, value: Value) -> None:
        self.index[key] = value
