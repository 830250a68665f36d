"""The names that one session subscribes to, by their kind (see `crdb.engine.pubsub.messages`)."""

from __future__ import annotations

from typing import Final

NAME_BYTES: Final = 128
"""The approximate memory of a subscription, without the bytes of its name."""


class Subscriptions:
    """The channels, shard channels and patterns that one session subscribes to."""

    __slots__ = ("by_kind", "size_bytes")

    def __init__(self) -> None:
        self.by_kind: tuple[dict[bytes, None], ...] = ({}, {}, {})
        """The names, by the number of their kind, in the order in which they were added."""
        self.size_bytes = 0

    def add(self, kind: int, name: bytes) -> bool:
        """Add a name. Return whether it is new."""
        names = self.by_kind[kind]
        if name in names:
            return False
        names[name] = None
        self.size_bytes += NAME_BYTES + len(name)
        return True

    def remove(self, kind: int, name: bytes) -> bool:
        """Remove a name. Return whether it was there."""
        names = self.by_kind[kind]
        if name not in names:
            return False
        del names[name]
        self.size_bytes -= NAME_BYTES + len(name)
        return True

    def pop(self) -> tuple[int, bytes]:
        """Remove some name. Return it with its kind. There must be one."""
        for kind, names in enumerate(self.by_kind):
            if names:
                name = next(reversed(names))
                self.remove(kind, name)
                return kind, name
        raise KeyError("there is no name")

    def count(self, kind: int) -> int:
        """Return the number of names of a kind."""
        return len(self.by_kind[kind])

    def names(self, kind: int) -> list[bytes]:
        """Return the names of a kind."""
        return list(self.by_kind[kind])

    def is_empty(self) -> bool:
        """Return whether there is no name of any kind."""
        return not any(self.by_kind)
