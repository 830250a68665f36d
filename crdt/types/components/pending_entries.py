"""The pending entries of a consumer group or of one consumer, by id and in the order of their ids.

A dictionary finds an entry. The ids are also in lists of bounded size, in ascending order. Entries
are delivered and acknowledged in about this order, so nearly all changes concern the end of the
last list or the beginning of the first one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

StreamId = tuple[int, int]
"""The id of an entry: milliseconds, and a number that tells entries of one millisecond apart."""

IDS_MAX: Final = 512
"""The ids in one list. A removal moves at most 4 KB."""


class PendingEntry:
    """An entry that was delivered to a consumer, and not acknowledged."""

    __slots__ = ("consumer", "count", "delivered_ms")

    def __init__(self, consumer: Consumer, now: int) -> None:
        self.consumer: Consumer = consumer
        self.delivered_ms: int = now
        """The wall clock at the latest delivery."""
        self.count: int = 1
        """The number of deliveries."""


class PendingEntries:
    """Pending entries by id."""

    __slots__ = ("by_id", "ids_max", "lists")

    def __init__(self, ids_max: int = IDS_MAX) -> None:
        self.ids_max: int = ids_max
        self.by_id: dict[StreamId, PendingEntry] = {}
        self.lists: list[list[StreamId]] = []
        """All ids, in ascending order. No list is empty."""

    def __len__(self) -> int:
        return len(self.by_id)

    def get(self, last: StreamId) -> PendingEntry | None:
        """Return the entry with an id; None if it is not pending."""
        return self.by_id.get(last)

    def put(self, last: StreamId, entry: PendingEntry) -> None:
        """Add an entry, or replace the one with this id. O(1) for the greatest id, otherwise
        O(log n)."""
        is_new = last not in self.by_id
        self.by_id[last] = entry
        if not is_new:
            return
        lists = self.lists
        if not lists:
            lists.append([last])
            return
        number = len(lists) - 1
        ids = lists[number]
        if last > ids[len(ids) - 1]:
            if len(ids) < self.ids_max:
                ids.append(last)
            else:
                lists.append([last])
            return
        number = self._list_of(last)
        ids = lists[number]
        ids.insert(bisect_left(ids, last), last)
        if len(ids) > self.ids_max:
            half = len(ids) // 2
            lists.insert(number + 1, ids[half:])
            del ids[half:]

    def pop(self, last: StreamId) -> PendingEntry | None:
        """Remove the entry with an id. Return it; None if there is none. O(log n)."""
        entry = self.by_id.pop(last, None)
        if entry is None:
            return None
        number = self._list_of(last)
        ids = self.lists[number]
        del ids[bisect_left(ids, last)]
        if not ids:
            del self.lists[number]
        return entry

    def _list_of(self, last: StreamId) -> int:
        """Return the number of the first list that ends with an id which is not below `last`."""
        lists = self.lists
        low, high = 0, len(lists) - 1
        if last <= lists[0][len(lists[0]) - 1]:
            return 0
        while low < high:
            middle = (low + high) // 2
            ids = lists[middle]
            if ids[len(ids) - 1] < last:
                low = middle + 1
            else:
                high = middle
        return low

    def first(self) -> StreamId:
        """Return the lowest id. There must be an entry."""
        return self.lists[0][0]

    def last(self) -> StreamId:
        """Return the greatest id. There must be an entry."""
        return self.lists[-1][-1]

    def ids_from(self, start: StreamId, *, is_behind: bool = False) -> Iterator[StreamId]:
        """Yield the ids from `start` on, or those behind it, in ascending order. The entries must
        not change meanwhile."""
        if not self.lists:
            return
        number = self._list_of(start)
        ids = self.lists[number]
        offset = bisect_right(ids, start) if is_behind else bisect_left(ids, start)
        while number < len(self.lists):
            ids = self.lists[number]
            while offset < len(ids):
                yield ids[offset]
                offset += 1
            number += 1
            offset = 0

    def items(self) -> Iterator[tuple[StreamId, PendingEntry]]:
        """Yield all ids with their entries, in ascending order. The entries must not change
        meanwhile."""
        for ids in self.lists:
            for last in ids:
                yield last, self.by_id[last]

    def check(self) -> None:
        """Assert the invariants: ascending ids in lists of bounded size, which are those of the
        dictionary."""
        assert all(0 < len(ids) <= self.ids_max for ids in self.lists)
        ids = [last for each in self.lists for last in each]
        assert ids == sorted(self.by_id)


class Consumer:
    """A consumer of a group in this region."""

    __slots__ = ("active_ms", "name", "pending", "seen_ms")

    def __init__(self, name: bytes, now: int) -> None:
        self.name: bytes = name
        self.seen_ms: int = now
        """The wall clock when the consumer last asked for something."""
        self.active_ms: int = -1
        """The wall clock when the consumer last got something; -1 before."""
        self.pending: PendingEntries = PendingEntries()
        """The entries that are pending for the consumer."""
