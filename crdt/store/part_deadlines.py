"""The keys whose values have parts that expire on their own: fields of hashes.

A key is scheduled by the earliest deadline of its parts. When that has passed here, the parts are
hidden (`due`). When it has passed by the clocks of all members, one member removes them (`over`).
"""

from __future__ import annotations

import heapq
from typing import Final

NEVER: Final = 1 << 62


class PartDeadlines:
    """Keys by the earliest deadline of their parts."""

    __slots__ = ("clock", "hidden", "next", "scheduled")

    def __init__(self) -> None:
        self.scheduled: list[tuple[int, bytes]] = []
        """A heap of keys with parts that are going to expire. An entry may be outdated."""
        self.hidden: list[tuple[int, bytes]] = []
        """A heap of keys with parts that are hidden, perhaps outdated as well."""
        self.clock: int = 0
        """The latest clock by which parts were hidden, in ms."""
        self.next: int = NEVER
        """The earliest deadline in `scheduled`, in ms."""

    def schedule(self, key: bytes, deadline: int) -> None:
        """Note the earliest deadline of a key. O(log n)."""
        entry = (deadline, key)
        if not self.scheduled or self.scheduled[0] != entry:
            heapq.heappush(self.scheduled, entry)
            self.next = self.scheduled[0][0]

    def due(self, clock: int) -> bytes | None:
        """Remove a key whose parts have expired from the schedule, and return it; None if there is
        none."""
        if self.next >= clock:
            return None
        key = heapq.heappop(self.scheduled)[1]
        self.next = self.scheduled[0][0] if self.scheduled else NEVER
        return key

    def hide(self, key: bytes, deadline: int) -> None:
        """Note that a key has hidden parts, the first of which expired at `deadline`."""
        heapq.heappush(self.hidden, (deadline, key))

    def over(self, clock: int) -> bytes | None:
        """Remove a key with a part that is hidden and expired before `clock`, and return it; None
        if there is none."""
        if not self.hidden or self.hidden[0][0] >= clock:
            return None
        return heapq.heappop(self.hidden)[1]

    def show_all(self) -> list[bytes]:
        """Return the keys that may have hidden parts, which are scheduled again then."""
        keys = self.hidden_keys()
        self.hidden = []
        return keys

    def hidden_keys(self) -> list[bytes]:
        """Return the keys that may have hidden parts. O(n)."""
        return list(dict.fromkeys([key for _, key in self.hidden]))
