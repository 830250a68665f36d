"""The keys that clients have read and may hold in their caches."""

from __future__ import annotations

from collections.abc import Iterable

from crdt.structures.table import Table

FEW: int = 8
"""Up to so many holders of a key are a tuple, which takes less memory than a dictionary."""


class TrackedKeys:
    """Keys, each with the ids of the clients that may hold it."""

    __slots__ = ("holders", "items")

    def __init__(self) -> None:
        self.holders: Table = Table()
        self.items = 0
        """The number of pairs of a key and a client."""

    def __len__(self) -> int:
        return len(self.holders)

    def __contains__(self, key: bytes) -> bool:
        return key in self.holders

    def add(self, key: bytes, client: int) -> bool:
        """Add a client to the holders of `key`. Return whether the key is new."""
        held: tuple[int, ...] | dict[int, None] | None = self.holders.get(key)
        if held is None:
            self.holders.put(key, (client,))
        elif client in held:
            return False
        elif isinstance(held, dict):
            held[client] = None
        elif len(held) < FEW:
            self.holders.put(key, (*held, client))
        else:
            self.holders.put(key, dict.fromkeys((*held, client)))
        self.items += 1
        return held is None

    def pop(self, key: bytes) -> Iterable[int]:
        """Remove a key. Return its holders."""
        held: tuple[int, ...] | dict[int, None] | None = self.holders.pop(key)
        if held is None:
            return ()
        self.items -= len(held)
        return held

    def take_all(self) -> Table:
        """Remove all keys. Return the table that held them."""
        taken, self.holders = self.holders, Table()
        self.items = 0
        return taken
