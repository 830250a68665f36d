"""The order in which SCAN walks the keys of a dictionary that changes meanwhile.

A key's place is a hash of its bytes. So a key never moves, also when it is removed and comes back,
and a cursor is a plain integer that needs no state in the server: the place to go on from. In one
walk every key is returned at most once, and a key that is present throughout exactly once.

Keys lie in buckets, each of which covers a range of places. A bucket that becomes too large is
divided at the middle of its keys. What has left the dictionary stays in its bucket until the bucket
is walked or divided, or until much has left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any, Final
from zlib import crc32

PLACE_BITS: Final = 32
PLACES: Final = 1 << PLACE_BITS
SCRAMBLE: Final = 0x9E3779B1  # odd, so that different checksums have different places
CURSOR_MARK: Final = PLACES
"""Added to a place in every cursor that a walk gives, so that no such cursor is 0. All cursors are
below 2^53, which clients can hold in a double."""
BUCKET_MAX: Final = 64  # keys in a bucket before it is divided
BUCKET_FILL: Final = 16  # keys in a bucket of a new order
SLACK: Final = 64  # fewer dead keys than this are not worth a pass


def place_of(key: bytes) -> int:
    """Return where `key` stands, from 0 to 2^32 - 1."""
    return crc32(key) * SCRAMBLE & PLACES - 1


def is_later_page(cursor: int) -> bool:
    """Return whether `cursor` comes from an earlier page of a walk."""
    return CURSOR_MARK <= cursor < CURSOR_MARK + PLACES


class ScanOrder:
    """Buckets of the keys of one dictionary, in order of place. A bucket may hold dead keys."""

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
        """Record that `key` has come to `present`. O(log n), amortised."""
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
        """Drop the dead keys of a bucket. Divide the bucket if that leaves it large."""
        bucket = self.clean(index, present)
        if len(bucket) <= BUCKET_MAX // 2:
            return
        bucket.sort(key=place_of)
        start = place_of(bucket[len(bucket) // 2])
        if start == self.starts[index]:
            return  # most of these keys have one place: they stay together
        middle = bisect_left(bucket, start, key=place_of)
        self.starts.insert(index + 1, start)
        self.buckets.insert(index + 1, bucket[middle:])
        self.buckets[index] = bucket[:middle]

    def clean(self, index: int, present: dict[bytes, Any]) -> list[bytes]:
        """Drop the dead keys of a bucket, and return what is left."""
        before = self.buckets[index]
        bucket = [key for key in before if key in present]
        self.buckets[index] = bucket
        self.entries -= len(before) - len(bucket)
        return bucket

    def compact(self, present: dict[bytes, Any]) -> None:
        """Drop all dead keys and join buckets that have become small. O(n)."""
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
        """Return the next cursor and `count` keys onwards from `cursor`.

        The first and the last cursor is 0. A page holds more than `count` keys only if several
        share one place, and fewer only at the end.
        """
        place = cursor - CURSOR_MARK if cursor >= CURSOR_MARK else cursor
        page: list[bytes] = []
        latest = -1
        index = bisect_right(self.starts, place) - 1
        while place < PLACES and index < len(self.buckets):
            bucket = self.clean(index, present)
            bucket.sort(key=place_of)
            for position in range(bisect_left(bucket, place, key=place_of), len(bucket)):
                key = bucket[position]
                reached = place_of(key)
                if len(page) >= count and reached != latest:
                    return CURSOR_MARK + reached, page
                page.append(key)
                latest = reached
            index += 1
        return 0, page
