"""The values of a keyspace behind one interface: get, put, drop, iterate.

The keyspace has two stores, one for live values and one for tombstones. A store may keep its values
outside of memory. Its keys are always in memory (`index`), because every read looks them up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.folded_string import Folder, is_counter, may_fold, unfold, value_of


class ValueStore:
    """Values by key.

    `get` returns a copy, and a changed copy takes effect with the next `put`, unless the store
    `shares` the value. Then a change takes effect immediately, and a `put` of it is allowed.

    A store keeps `Value.state`, `Value.accessed` and which parts are hidden (`Value.hidden_at`).
    Anything else, such as the order in which members are sampled, may be lost between `put` and
    `get`.
    """

    __slots__ = ("counters", "index")

    def __init__(self) -> None:
        self.counters: int = 0
        """The number of folded counters: their keys are not noted anywhere else."""
        self.index: Table = Table()
        """The keys. The values of this table are private to the store."""

    def get(self, key: bytes) -> Value | None:
        """Return the value of a key, None if there is none."""
        raise NotImplementedError

    def put(self, key: bytes, value: Value) -> None:
        """Store a value under a key. It replaces the previous value."""
        raise NotImplementedError

    def shares(self, value: Value) -> bool:
        """Return whether `value`, which `get` has returned, is the stored value itself."""
        return False

    def entry(self, key: bytes) -> Any:
        """Return what `get` returns, but possibly as a folded string (see `folded_string`)."""
        return self.get(key)

    def put_folded(self, key: bytes, folded: bytes) -> None:
        """Store a folded string under a key. It replaces the previous value."""
        self.put(key, unfold(folded))

    def replace_folded(self, key: bytes, folded: bytes) -> None:
        """Store a folded string under a key that holds one of the same kind. A write may also be
        stored under a new key."""
        self.put(key, unfold(folded))

    def is_counter(self, key: bytes) -> bool:
        """Return whether a folded counter is stored under a key."""
        return False

    def counter_slices(self) -> Iterator[list[bytes]]:
        """Yield the keys of folded counters, one part of the table after the other. A key that was
        yielded may be removed, and no key may be added."""
        cursor = 0
        while self.counters:
            cursor, keys = self.counters_from(cursor)
            yield keys
            if cursor == 0:
                return

    def counters_from(self, cursor: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and the keys of folded counters in the part of the table at
        `cursor`. The first and the last cursor is 0."""
        following, keys = self.index.walk(cursor)
        return following, [key for key in keys if self.is_counter(key)]

    def move(self, key: bytes, other: ValueStore, traced: Table) -> None:
        """Move a key, which is here, to another store. Note in `traced` if its removal may leave
        traces (see `KeyTable.traced`). After a MemoryError it is here, and may be there too."""
        entry = self.entry(key)
        if type(entry) is bytes:
            other.put_folded(key, entry)
        else:
            value: Value = entry
            other.put(key, value)
            if value.keeps_traces():
                traced.put(key, None)
        self.drop(key)

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
    """Values in memory. `index` maps keys to folded strings and to values, which `get` returns."""

    __slots__ = ("folder",)

    def __init__(self) -> None:
        super().__init__()
        self.folder: Folder = Folder()

    def get(self, key: bytes) -> Value | None:
        value: Value | None = value_of(self.index.get(key))
        return value

    def put(self, key: bytes, value: Value) -> None:
        entry: Any = self.folder.fold(value)
        if self.counters and self.is_counter(key):
            self.counters -= 1
        if type(entry) is bytes and is_counter(entry):
            self.counters += 1
        self.index.put(key, entry)

    def shares(self, value: Value) -> bool:
        return not may_fold(value)

    def entry(self, key: bytes) -> Any:
        return self.index.get(key)

    def put_folded(self, key: bytes, folded: bytes) -> None:
        if is_counter(folded):
            if not self.is_counter(key):
                self.counters += 1
        elif self.counters and self.is_counter(key):
            self.counters -= 1
        self.index.put(key, folded)

    def replace_folded(self, key: bytes, folded: bytes) -> None:
        self.index.put(key, folded)

    def is_counter(self, key: bytes) -> bool:
        entry = self.index.get(key)
        return type(entry) is bytes and is_counter(entry)

    def drop(self, key: bytes) -> None:
        entry = self.index.pop(key)
        if type(entry) is bytes and is_counter(entry):
            self.counters -= 1

    def clear(self) -> None:
        self.index.clear()
        self.counters = 0
