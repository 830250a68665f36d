"""Deadlines of keys: of concurrent ones the longest holds.

A key's deadlines are siblings, each with its dot. A change of the time to live replaces those it
observed (rule EXP-3); among concurrent ones the longest wins (rule EXP-1), and PERSIST, or a
write of a whole value without a time to live, is a deadline that never comes (rule EXP-2, D-10).
Deadlines are absolute milliseconds of wall clock (rules EXP-8, EXP-9).

That last case would cost every plain SET an entry here. It does not: a lone write of a string
carries the flag `no_expiry` instead, and becomes an entry only when it meets a concurrent change.
"""

from __future__ import annotations

import heapq
from collections import deque
from itertools import islice
from typing import Final

from crdt.causality.dots import Dot, Vector, join_dots
from crdt.causality.observed import Observed
from crdt.causality.schema import FOREVER
from crdt.structures.table import Table
from crdt.types.components.expiry_record import ExpiryRecord

HEAP_SLACK: Final = 1024  # fewer outdated entries than this do not justify a compaction
HEAP_MAX: Final = 2000  # entries of one heap, so that compacting it takes about a millisecond


class Deadlines:
    """The deadlines of all keys that have any, flat: `(dot, ms, dot, ms, ...)`, by dot."""

    __slots__ = ("entries", "heap_max", "heaps", "record", "table", "timed")

    def __init__(self, heap_max: int = HEAP_MAX) -> None:
        """Create an empty collection whose heaps have at most `heap_max` entries."""
        self.heap_max: int = heap_max
        self.table: Table = Table()
        self.timed: int = 0
        """The number of keys that have a deadline."""
        self.heaps: deque[list[tuple[int, bytes]]] = deque([[]])
        """Heaps of the keys that expire, by deadline. The last heap takes new entries. There is at
        least one. An entry is outdated if the key has another deadline now."""
        self.entries: int = 0
        """The number of entries in all heaps."""
        self.record: ExpiryRecord | None = None
        """Gets every change of a deadline, if somebody reports the keys that expire."""

    def deadline(self, key: bytes) -> int:
        """Return when the key expires, in ms; FOREVER if it does not."""
        siblings: tuple[int, ...] | None = self.table.get(key)
        return FOREVER if siblings is None else longest(siblings)

    def siblings(self, key: bytes) -> tuple[int, ...]:
        """Return the dots and deadlines of a key, flat and by dot."""
        found: tuple[int, ...] | None = self.table.get(key)
        return () if found is None else found

    def drop(self, key: bytes, observed: Observed) -> bool:
        """Remove the observed deadlines of `key`; True if some are left."""
        siblings: tuple[int, ...] | None = self.table.get(key)
        if siblings is None:
            return False
        left: list[int] = []
        for index in range(0, len(siblings), 2):
            if not observed.covers(siblings[index]):
                left += siblings[index : index + 2]
        self.put(key, tuple(left))
        return bool(left)

    def add(self, key: bytes, dot: Dot, deadline: int) -> None:
        """Add a deadline to those of the key."""
        siblings: tuple[int, ...] | None = self.table.get(key)
        if siblings is None:
            self.put(key, (dot, deadline))
        else:
            pairs = dict(zip(siblings[::2], siblings[1::2], strict=True))
            pairs[dot] = deadline
            self.put(key, flatten(pairs))

    def replace(self, key: bytes, dot: Dot, deadline: int, observed: Observed) -> None:
        """Remove the observed deadlines of the key, and add one."""
        held: tuple[int, ...] | None = self.table.get(key)
        if held is None or (len(held) == 2 and observed.covers(held[0])):
            self.exchange(key, held, (dot, deadline))
        else:
            self.drop(key, observed)
            self.add(key, dot, deadline)

    def put(self, key: bytes, siblings: tuple[int, ...]) -> None:
        """Hold exactly these deadlines of `key`."""
        held: tuple[int, ...] | None = self.table.get(key)
        self.exchange(key, held, siblings)

    def exchange(self, key: bytes, held: tuple[int, ...] | None, siblings: tuple[int, ...]) -> None:
        """Hold exactly these deadlines of `key` instead of `held`, which is None without any."""
        if held is not None and longest(held) < FOREVER:
            self.timed -= 1
        if not siblings:
            self.table.pop(key)
            if self.record is not None:
                self.record.remove(key)
            return
        self.table.put(key, siblings)
        deadline = longest(siblings)
        if self.record is not None:
            self.record.add(key, deadline)
        if deadline < FOREVER:
            self.timed += 1
            self.push((deadline, key))
            if self.entries > 2 * len(self.table) + HEAP_SLACK:
                self.compact()

    def push(self, entry: tuple[int, bytes]) -> None:
        """Add an entry to the last heap."""
        last = self.heaps[-1]
        if len(last) >= self.heap_max:
            last = list[tuple[int, bytes]]()
            self.heaps.append(last)
        heapq.heappush(last, entry)
        self.entries += 1

    def compact(self) -> None:
        """Drop the outdated entries of the oldest heap. Move the others to the last heap."""
        oldest = self.heaps.popleft()
        if not self.heaps:
            self.heaps.append([])
        self.entries -= len(oldest)
        for entry in dict.fromkeys(oldest):
            if self.deadline(entry[1]) == entry[0]:
                self.push(entry)

    def time_left(self, now: int, sample: int) -> int:
        """Return the average time to live in ms of some keys that expire."""
        ends = [self.deadline(key) for key in islice(self.table, sample)]
        left = [max(0, deadline - now) for deadline in ends if deadline < FOREVER]
        return sum(left) // len(left) if left else 0

    def due(self, clock: int, limit: int) -> list[bytes]:
        """Remove at most `limit` keys whose deadline has passed from the heaps, and return them.

        O(heaps + limit), and a heap has up to `heap_max` entries.
        """
        keys: dict[bytes, None] = {}
        emptied = False
        for heap in self.heaps:
            while heap and heap[0][0] < clock and len(keys) < limit:
                deadline, key = heapq.heappop(heap)
                self.entries -= 1
                if self.deadline(key) == deadline:
                    keys[key] = None
            emptied = emptied or not heap
        if emptied:
            self.heaps = deque([heap for heap in self.heaps if heap] or [[]])
        return list(keys)

    def merge(self, key: bytes, theirs: tuple[int, ...], mine: Vector, other: Vector) -> None:
        """Take in the deadlines that another copy holds; `other` is its vector."""
        held = self.siblings(key)
        ours = dict(zip(held[::2], held[1::2], strict=True))
        given = dict(zip(theirs[::2], theirs[1::2], strict=True))
        self.put(key, flatten(join_dots(ours, given, mine, other)))

    def no_expiry(self, key: bytes) -> bool:
        """Return whether one of the deadlines of `key` is FOREVER, which wins over the others."""
        return key in self.table and self.deadline(key) >= FOREVER


def longest(siblings: tuple[int, ...]) -> int:
    """Return the deadline that holds among these, of which there is at least one, in ms."""
    return siblings[1] if len(siblings) == 2 else max(siblings[1::2])


def flatten(pairs: dict[Dot, int]) -> tuple[int, ...]:
    """Dots and deadlines in one tuple, by dot."""
    flat: list[int] = []
    for dot in sorted(pairs):
        flat += (dot, pairs[dot])
    return tuple(flat)
