"""The values of a keyspace behind one interface: get, put, drop, iterate.

The keyspace has two stores, one for live values and one for tombstones. A store may keep its values
outside of memory. Its keys are always in memory (`index`), because every read looks them up.
"""

from __future__ import annotations

from collections.abc import Iterator

from crdt.structures.table import Table
from crdt.types.base import Value


class ValueStore:
    """Values by key.

    If `returns_copies` is true, `get` returns a copy, and a changed copy takes effect with the next
    `put`. Otherwise `get` returns the stored value itself, and a change takes effect immediately. A
    `put` of it is allowed.

    A store keeps `Value.state` and `Value.accessed`. Anything else, such as the order in which
    members are sampled, may be lost between `put` and `get`.
    """

    __slots__ = ("index", "returns_copies")

    def __init__(self) -> None:
        self.returns_copies: bool = True
        self.index: Table = Table()
        """The keys. The values of this table are private to the store."""

    def get(self, key: bytes) -> Value | None:
        """Return the value of a key, None if there is none."""
        raise NotImplementedError

    def put(self, key: bytes, value: Value) -> None:
        """Store a value under a key. It replaces the previous value."""
        raise NotImplementedError

    def drop(self, key: bytes) -> None:
        """Remove a key, if it is there."""
        self.index.pop(key)

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
    """Values in memory. `index` maps keys to the values themselves, and `get` returns them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.returns_copies = False

    def get(self, key: bytes) -> Value | None:
        value: Value | None = self.index.get(key)
        return value

    def put(self, key: bytes, value: Value) -> None:
        self.index.put(key, value)
