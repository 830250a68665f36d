"""The operations of a backlog, in columns.

Python takes memory from the system in arenas of a megabyte, and returns an arena only when nothing
in it is in use. A tuple and four integers for each operation would lie between the values that were
written at the same time. When these are deleted, no arena could be returned. So the numbers are in
arrays, and the operations themselves are the only objects.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from crdt.causality.dots import Origin
from crdt.causality.op_pieces import OpBytes

Kept: TypeAlias = tuple[Origin, int, int, OpBytes]
"""Origin, first and last sequence number and encoding of an operation."""

SLACK: Final = 1024  # dropped operations that do not justify moving the others


class Ends:
    """The places of the operations of one origin, in order."""

    __slots__ = ("head", "lasts", "places")

    def __init__(self) -> None:
        self.lasts: Any = array("q")
        """The last sequence number of each operation."""
        self.places: Any = array("q")
        """The number of each operation, counted from the first that was ever appended."""
        self.head: int = 0
        """The operations that were dropped."""

    def __len__(self) -> int:
        return len(self.lasts) - self.head

    def find(self, last: int) -> int:
        """Return the number of the operation that ends with `last`, or -1. O(log n)."""
        index = bisect_left(self.lasts, last, self.head)
        return self.places[index] if index < len(self.lasts) and self.lasts[index] == last else -1

    def drop_first(self) -> None:
        """Forget the oldest operation."""
        self.head += 1
        if self.head > SLACK and self.head * 2 > len(self.lasts):
            del self.lasts[: self.head], self.places[: self.head]
            self.head = 0


class KeptOps:
    """A queue of operations."""

    __slots__ = ("data", "dropped", "ends", "firsts", "head", "lasts", "origins")

    def __init__(self) -> None:
        self.data: list[OpBytes] = []
        self.origins: Any = array("q")
        self.firsts: Any = array("q")
        self.lasts: Any = array("q")
        self.head: int = 0
        """The index of the oldest operation."""
        self.dropped: int = 0
        """The operations before the one with index 0."""
        self.ends: dict[Origin, Ends] = {}

    def __len__(self) -> int:
        return len(self.data) - self.head

    def append(self, kept: Kept) -> None:
        """Add an operation. Those of one origin are added in order. Amortised O(1)."""
        origin, first, last, data = kept
        ends = self.ends.get(origin)
        if ends is None:
            ends = self.ends[origin] = Ends()
        ends.lasts.append(last)
        ends.places.append(self.dropped + len(self.data))
        self.origins.append(origin)
        self.firsts.append(first)
        self.lasts.append(last)
        self.data.append(data)

    def drop_first(self) -> Kept:
        """Remove the oldest operation, and return it. Amortised O(1)."""
        head = self.head
        kept = self.at(0)
        ends = self.ends[kept[0]]
        ends.drop_first()
        if not len(ends):
            del self.ends[kept[0]]
        self.data[head] = b""
        head += 1
        if head > SLACK and head * 2 > len(self.data):
            del self.data[:head], self.origins[:head], self.firsts[:head], self.lasts[:head]
            self.dropped += head
            head = 0
        self.head = head
        return kept

    def at(self, index: int) -> Kept:
        """Return the operation at an index, counted from the oldest one."""
        index += self.head
        return self.origins[index], self.firsts[index], self.lasts[index], self.data[index]

    def each(self, start: int = 0, stop: int = 1 << 62) -> Iterator[Kept]:
        """Iterate over the operations with `start` <= index < `stop`."""
        for index in range(start, min(stop, len(self))):
            yield self.at(index)

    def ending_at(self, origin: Origin, last: int) -> OpBytes:
        """Return the operation that ends with this effect, or nothing. O(log n)."""
        ends = self.ends.get(origin)
        place = -1 if ends is None else ends.find(last)
        return b"" if place < 0 else self.data[place - self.dropped]

    def count_ends(self) -> int:
        """Return the number of operations that `ending_at` can find."""
        return sum([len(ends) for ends in self.ends.values()])
