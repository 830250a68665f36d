"""The order in which SCAN visits the keys of a changing dictionary.

A key's place is a checksum of its bytes, so a key has the same place after it was removed and added
again (see `places`). A cursor contains the place at which the walk continues. It needs no state in
the server. One walk returns each key at most once. It returns a key that is present throughout
exactly once.

Each bucket holds the keys of a range of places. A bucket that becomes too large is divided at its
median key. A removed key stays in its bucket until the bucket is walked or divided, or until all
buckets are compacted because many keys have been removed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any, Final

from crdt.structures.places import PLACE_BITS, cursor_of, place_of, places_in

BUCKET_MAX: Final = 64  # keys in a bucket before it is divided
BUCKET_FILL: Final = 16  # average number of keys in a bucket of a new order
SLACK: Final = 64  # fewer removed keys than this do not justify a compaction


class ScanOrder:
    """Buckets of the keys of one dictionary, ordered by place. A bucket may hold removed keys."""

    __slots__ = ("buckets", "entries", "starts")

    def __init__(self, keys: Iterable[bytes], count: int) -> None:
        """Build the order of `count` keys. O(count)."""
        bits = max(0, (count // BUCKET_FILL).bit_length() - 1)
        shift = PLACE_BITS - bits
        self.starts: list[int] = [index << shift for index in range(1 << bits)]
        self.buckets: list[list[bytes]] = [[] for _ in self.starts]
        self.entries: int = count
        for key in keys:
            self.buckets[place_of(key) >> shift].append(key)

    def add(self, key: bytes, present: dict[bytes, Any]) -> None:
        """Record that `key` has been added to `present`. Amortised O(log n)."""
        index = bisect_right(self.starts, place_of(key)) - 1
        bucket = self.buckets[index]
        if key in bucket:
            return
        bucket.append(key)
        self.entries += 1
        if len(bucket) > BUCKET_MAX:
            self.divide(index, present)
        if self.entries > 2 * len(present) + SLACK:
            self.compact(present)

    def divide(self, index: int, present: dict[bytes, Any]) -> None:
        """Drop the removed keys of a bucket. Divide the bucket if it is still large."""
        bucket = self.clean(index, present)
        if len(bucket) <= BUCKET_MAX // 2:
            return
        bucket.sort(key=place_of)
        start = place_of(bucket[len(bucket) // 2])
        if start == self.starts[index]:
            return  # at least half of these keys share one place, which cannot be divided
        middle = bisect_left(bucket, start, key=place_of)
        self.starts.insert(index + 1, start)
        self.buckets.insert(index + 1, bucket[middle:])
        self.buckets[index] = bucket[:middle]

    def clean(self, index: int, present: dict[bytes, Any]) -> list[bytes]:
        """Drop the removed keys of a bucket. Return the other keys."""
        before = self.buckets[index]
        bucket = [key for key in before if key in present]
        self.buckets[index] = bucket
        self.entries -= len(before) - len(bucket)
        return bucket

    def compact(self, present: dict[bytes, Any]) -> None:
        """Drop all removed keys and join buckets that have become small. O(n)."""
        starts: list[int] = [0]
        buckets: list[list[bytes]] = [[]]
        self.entries = 0
        for index, held in enumerate(self.buckets):
            bucket = [key for key in held if key in present]
            self.entries += len(bucket)
            if len(buckets[-1]) + len(bucket) > BUCKET_MAX // 2:
                starts.append(self.starts[index])
                buckets.append(bucket)
            else:
                buckets[-1].extend(bucket)
        self.starts = starts
        self.buckets = buckets

    def walk(self, cursor: int, count: int, present: dict[bytes, Any]) -> tuple[int, list[bytes]]:
        """Return the next cursor and the page of about `count` keys that begins at `cursor`.

        The first and the last cursor is 0. A page holds more than `count` keys only if several
        keys share one place, and fewer only at the end of the walk.
        """
        place, _ = places_in(cursor)
        page: list[bytes] = []
        latest = -1
        index = bisect_right(self.starts, place) - 1
        while index < len(self.buckets):
            bucket = self.clean(index, present)
            bucket.sort(key=place_of)
            for position in range(bisect_left(bucket, place, key=place_of), len(bucket)):
                key = bucket[position]
                reached = place_of(key)
                if len(page) >= count and reached != latest:
                    return cursor_of(reached, 0), page
                page.append(key)
                latest = reached
            index += 1
        return 0, page
