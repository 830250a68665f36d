"""The keys that have expired and were not reported yet.

A replica hides a key when its time is over, and deletes it much later. Whoever reports that keys
expire needs to know them when that happens. So this records the deadline of each key, and forgets
it if the deadline changes or the key is removed before.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Final

from crdt.causality.schema import FOREVER

BUILT_MAX: Final = 2000
"""The deadlines of keys that are taken over in one call, so that it takes about a millisecond."""


class ExpiryRecord:
    """The deadlines of the keys of one replica."""

    __slots__ = ("began", "clock", "current", "deadline_of", "heap", "others")

    def __init__(
        self,
        clock: Callable[[], int],
        deadline_of: Callable[[bytes], int],
        others: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        """`clock` returns the time that decides about expiry, and `deadline_of` the deadline of a
        key. `others` are earlier deadlines, also outdated ones. They are taken over in slices."""
        self.clock: Callable[[], int] = clock
        self.deadline_of: Callable[[bytes], int] = deadline_of
        self.began: int = clock()
        self.others: list[tuple[int, bytes]] = list(others)
        self.current: dict[bytes, int] = {}
        self.heap: list[tuple[int, bytes]] = []

    def add(self, key: bytes, deadline: int) -> None:
        """Record the deadline of a key in place of an earlier one. One that has passed counts for
        nothing: nobody has seen the key."""
        if FOREVER > deadline >= self.clock():
            self.current[key] = deadline
            heapq.heappush(self.heap, (deadline, key))
        else:
            self.remove(key)

    def remove(self, key: bytes) -> None:
        """Forget the deadline of a key, unless it has passed."""
        deadline = self.current.get(key)
        if deadline is not None and deadline >= self.clock():
            del self.current[key]

    def clear(self) -> None:
        """Forget all deadlines that have not passed."""
        now = self.clock()
        self.others = []
        self.current = {key: at for key, at in self.current.items() if at < now}

    def take(self, limit: int) -> list[bytes]:
        """Remove at most `limit` keys whose deadline has passed, and return them in the order of
        their deadlines."""
        if self.others:
            for deadline, key in self.others[-BUILT_MAX:]:
                if deadline >= self.began and self.deadline_of(key) == deadline:
                    self.current[key] = deadline
                    heapq.heappush(self.heap, (deadline, key))
            del self.others[-BUILT_MAX:]
        now = self.clock()
        found: list[bytes] = []
        while self.heap and self.heap[0][0] < now and len(found) < limit:
            deadline, key = heapq.heappop(self.heap)
            if self.current.get(key) == deadline:
                del self.current[key]
                found.append(key)
        return found
