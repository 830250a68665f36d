"""Removed content that waits to be freed, a slice at a time.

Freeing a million objects takes a fifth of a second. Large content that was removed goes into the
bin instead, and each slice of work frees some of it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from crdt.structures.table import Table
from crdt.types.base import DroppedContent
from crdt.types.components.named import DroppedNames, Named

SLICE_ELEMENTS: Final = 2000
"""The keys and elements that one slice frees: about a millisecond."""


class Bin:
    """Removed content. What was added last is freed first."""

    __slots__ = ("things",)

    def __init__(self) -> None:
        self.things: list[DroppedContent] = []

    def add(self, thing: DroppedContent) -> None:
        """Keep `thing` until it has been freed."""
        self.things.append(thing)

    def is_empty(self) -> bool:
        """Return whether there is nothing to free."""
        return not self.things

    def free_slice(self) -> bool:
        """Free some of the content. Return whether there is more."""
        if self.things and not self.things[-1].free_slice():
            self.things.pop()
        return bool(self.things)


class DroppedHeaps:
    """The heaps of the deadlines of a keyspace that was flushed."""

    __slots__ = ("heaps",)

    def __init__(self, heaps: deque[list[tuple[int, bytes]]]) -> None:
        self.heaps: deque[list[tuple[int, bytes]]] = heaps

    def free_slice(self) -> bool:
        """Free the next heap. Return whether there is more."""
        if self.heaps:
            self.heaps.pop()
        return len(self.heaps) > 0


class DroppedKeys:
    """The keys and values of a keyspace that was flushed."""

    __slots__ = ("large", "table", "values")

    def __init__(self, table: Table) -> None:
        self.table: Table = table
        self.values: list[Any] = []
        """The values of the part that is being freed."""
        self.large: DroppedNames | None = None
        """The content of the large value that is being freed."""

    def free_slice(self) -> bool:
        """Free some of the content. Return whether there is more."""
        if self.large is not None:
            if not self.large.free_slice():
                self.large = None
            return True
        if not self.values:
            self.values = list(self.table.pop_part().values())
        room = SLICE_ELEMENTS
        while self.values and room > 0:
            value = self.values.pop()
            room -= 1
            if isinstance(value, Named):
                if value.large is not None:
                    self.large = DroppedNames(value.large.table, value.drop_index())
                    return True
                room -= value.size()
        return len(self.values) > 0 or len(self.table) > 0
