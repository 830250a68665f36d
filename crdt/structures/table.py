"""A mapping from bytes that grows and shrinks in small steps (extendible hashing).

A dictionary of millions of keys stops its process for a fifth of a second whenever it grows. A
table is divided into parts instead. Each part is a dictionary of at most `part_max` keys. A part
that becomes too large is divided in two, and no other part is touched. Parts are divided at
different sizes, from half of `part_max` on. Since hashes are uniform, all parts grow alike, and
would otherwise be divided at about the same time.

A key's *place* is a number that its hash yields. A part holds the keys of a range of places. The
range of a part of depth d is 1/2^d of all places. A directory, a list of 2^depth slots, leads from
a place to its part. The slots of a part are neighbours.

    depth 2     slot    00      01      10      11
                part    [ depth 1 ]     [d. 2]  [d. 2]

A small table is one dictionary, and nearly as fast as one. Its keys are in the order of their
insertion. The order in a table of several parts depends on Python's hash of bytes, which differs
from process to process. A program that must be reproducible keeps to tables of one part.

Other threads must not use a table while it changes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, islice
from sys import getsizeof
from typing import Any, Final

from crdt.structures.part import Part
from crdt.structures.places import (
    HASH_BITS,
    HASH_MASK,
    HASH_PLACES,
    HASH_SHIFT,
    PLACES,
    cursor_of,
    place_of,
    place_of_hash,
    places_in,
)
from crdt.structures.scan_order import ScanOrder

PART_MAX: Final = 5_400
"""The number of keys in a part before it is divided, which takes one to two milliseconds. A
dictionary of this size is nearly full: it would grow at 5,461 keys."""
STAGGER_BITS: Final = 4
STAGGER: Final = [int(1024 * 2 ** (-step / 2**STAGGER_BITS)) for step in range(2**STAGGER_BITS)]
"""The sizes at which parts are divided, in 1024ths of the maximum. They are in geometric order, so
that divisions are evenly spread over the time in which a table doubles."""
GOLDEN: Final = 40_503
"""2^16 divided by the golden ratio. Multiples of it, modulo 2^16, are evenly spread."""
SMALL_SHARE: Final = 8  # a part of at most 1/8 of the maximum gives memory back
JOIN_SHARE: Final = 4  # two parts are joined if the result is at most 1/4 of the maximum
SPARSE_BYTES: Final = 4096  # a dictionary up to this size is not worth a copy
ENTRY_BYTES: Final = 128  # a dictionary with more bytes for each of its keys is copied
SORTED_MAX: Final = 16
"""The number of parts whose keys are kept sorted for scans. Sorting a part takes a millisecond."""


class Table:
    """A mapping from bytes to any values."""

    __slots__ = (
        "count",
        "depth",
        "directory",
        "first",
        "part_max",
        "parts",
        "room",
        "scan_order",
        "shift",
        "sorted",
    )

    def __init__(self, part_max: int = PART_MAX) -> None:
        """Create an empty table of parts of at most `part_max` keys (2 or more)."""
        self.part_max: int = part_max
        self.set_single({})

    def set_single(self, held: dict[bytes, Any]) -> None:
        """Hold exactly these keys, in one part."""
        self.first: dict[bytes, Any] | None = held
        """The only part's keys; None if there are several parts."""
        self.depth: int = 0
        self.shift: int = HASH_SHIFT + HASH_BITS
        """The number of bits of a hash below those that give the slot."""
        self.directory: list[dict[bytes, Any]] = [held]
        """The keys of the part of each slot. `parts` leads to the same dictionaries, but this list
        saves a step in every access."""
        self.parts: list[Part] = [Part(held, 0, 0, self.part_max)]
        """The part of each slot."""
        self.count: int = 0
        """The number of keys, if there are several parts."""
        self.room: int = self.part_max
        """The size from which on the only part takes a new key in the slow way: 0 if it has
        orders."""
        self.scan_order: ScanOrder | None = None
        """The order of scans of the only part. The first scan makes it."""
        self.sorted: list[Part] = []
        """The parts whose keys are sorted for scans. The one that was sorted last is the last."""

    # -- one key ---------------------------------------------------------------------------

    def get(self, key: bytes) -> Any:
        """Return the value of `key`, None if there is none."""
        first = self.first
        if first is not None:
            return first.get(key)
        return self.directory[(hash(key) & HASH_MASK) >> self.shift].get(key)

    def __getitem__(self, key: bytes) -> Any:
        return self.dict_of(key)[key]

    def __contains__(self, key: bytes) -> bool:
        first = self.first
        if first is not None:
            return key in first
        return key in self.directory[(hash(key) & HASH_MASK) >> self.shift]

    def put(self, key: bytes, value: Any) -> None:
        """Store a value under a key. It replaces the previous value."""
        first = self.first
        if first is not None and len(first) < self.room:
            first[key] = value
            return
        slot = (hash(key) & HASH_MASK) >> self.shift
        held = self.directory[slot]
        before = len(held)
        held[key] = value
        if len(held) != before:
            self.note_added(slot, key)

    def __setitem__(self, key: bytes, value: Any) -> None:
        self.put(key, value)

    def pop(self, key: bytes) -> Any:
        """Remove a key. Return its value, None if there is none."""
        first = self.first
        if first is not None:
            return first.pop(key, None)
        slot = (hash(key) & HASH_MASK) >> self.shift
        held = self.directory[slot]
        before = len(held)
        value = held.pop(key, None)
        if len(held) != before:
            self.count -= 1
            if len(held) <= self.part_max // SMALL_SHARE:
                self.shrink(slot)
        return value

    def dict_of(self, key: bytes) -> dict[bytes, Any]:
        """Return the dictionary that holds `key` if the key is present. Do not change its keys."""
        return self.directory[(hash(key) & HASH_MASK) >> self.shift]

    def entry_bytes(self, key: bytes) -> int:
        """Return the memory of one entry in the part of `key`, which is not empty, in bytes."""
        held = self.dict_of(key)
        return getsizeof(held) // len(held)

    # -- all keys --------------------------------------------------------------------------

    def __len__(self) -> int:
        first = self.first
        return self.count if first is None else len(first)

    def __bool__(self) -> bool:
        first = self.first
        return self.count > 0 if first is None else len(first) > 0

    def __iter__(self) -> Iterator[bytes]:
        first = self.first
        if first is not None:
            return iter(first)
        return chain.from_iterable(self.dicts())

    def items(self) -> Iterator[tuple[bytes, Any]]:
        """Iterate over keys and values, part by part. The table must not change meanwhile."""
        return chain.from_iterable([held.items() for held in self.dicts()])

    def some(self, count: int) -> list[bytes]:
        """Return at most `count` keys of one part, and none only if the table is empty.

        They are the newest ones of the part. Removing them again and again visits all keys.
        """
        for slot in range(len(self.directory) - 1, -1, -1):
            held = self.directory[slot]
            if held:
                return list(islice(reversed(held), count))
        return []

    def ends(self, count: int) -> list[bytes]:
        """Return `count` keys from either end of the iteration, or all keys if they are fewer.

        A table of one part has the oldest keys at its beginning and the newest ones at its end.
        """
        if len(self) <= 2 * count:
            return list(self)
        dicts = [held for held in self.dicts() if held]
        last = list(islice(reversed(dicts[-1]), count))
        return [*islice(chain.from_iterable(dicts), 2 * count - len(last)), *last]

    def dicts(self) -> list[dict[bytes, Any]]:
        """Return the dictionaries of all parts, by place. Do not change their keys."""
        return [part.held for part in self.distinct_parts()]

    def distinct_parts(self) -> list[Part]:
        """Return each part once, by place."""
        found: list[Part] = []
        slot = 0
        while slot < len(self.parts):
            part = self.parts[slot]
            found.append(part)
            slot += self.run_of(part)
        return found

    def copy(self) -> Table:
        """Return a table of the same keys and values. O(n)."""
        copy = Table(self.part_max)
        for key, value in self.items():
            copy.put(key, value)
        return copy

    def clear(self) -> None:
        """Remove all keys. It takes long if there are many: see `pop_part`."""
        self.set_single({})

    def pop_part(self) -> dict[bytes, Any]:
        """Remove one whole part and return its keys and values, rarely none.

        Repeat this until the table is empty, to free a large table in slices.
        """
        if self.first is not None:
            held = self.first
            self.set_single({})
            return held
        part = self.parts[0]
        for other in self.distinct_parts():
            if other.depth > part.depth:
                part = other
        held = part.held
        self.count -= len(held)
        self.set_held(part, {})
        self.shrink(self.slot_of(part.start))  # joins it with its neighbour, which is as deep
        return held

    # -- walking ---------------------------------------------------------------------------

    def walk(self, cursor: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and the keys of the part that begins at `cursor`.

        The first and the last cursor is 0. The table may change between two calls. A walk returns
        each key that is present throughout exactly once, and no key twice unless it was removed
        and added again.
        """
        stop = self.range_end(cursor)
        return stop % HASH_PLACES, self.keys_between(cursor, stop)

    def range_end(self, place: int) -> int:
        """Return the first place behind the part that holds `place`."""
        return self.parts[self.slot_of(place)].stop()

    def keys_between(self, start: int, stop: int) -> list[bytes]:
        """Return the keys with a place from `start` up to but not including `stop`."""
        found: list[bytes] = []
        place = start
        while place < stop:
            part = self.parts[self.slot_of(place)]
            place = part.stop()
            if part.start >= start and place <= stop:
                found += part.held
            else:
                found += [key for key in part.held if start <= place_of_hash(key) < stop]
        return found

    # -- sampling and scanning -------------------------------------------------------------

    def pick(self, rng: random.Random) -> bytes:
        """Return a random key, nearly uniformly distributed. The table is not empty.

        Expected O(1). The first call for a part takes as long as a copy of its keys.
        """
        if self.first is not None:
            self.room = 0
            return self.parts[0].sampled().pick(rng, self.first)
        while True:
            part = self.parts[int(rng.random() * len(self.parts))]
            # A part with many slots is drawn more often, and a part with many keys accepted.
            if rng.random() * (self.part_max << self.depth) < len(part.held) << part.depth:
                return part.sampled().pick(rng, part.held)

    def prepare_picks(self, budget: int) -> bool:
        """Do some of what the first call of `pick` for each part would do, for about `budget` keys.
        Return whether all is done. O(parts)."""
        self.room = 0
        for part in self.distinct_parts():
            if part.order is None:
                if budget <= 0:
                    return False
                budget -= len(part.sampled().keys)
        return True

    def sampled_keys(self) -> list[bytes]:
        """Return the keys that `pick` may find: all keys, and some removed ones. O(n)."""
        self.room = 0
        return [key for part in self.distinct_parts() for key in part.sampled().keys]

    def has_scan_order(self) -> bool:
        """Return whether an order of scans is maintained. The first scan makes one."""
        return self.scan_order is not None or len(self.sorted) > 0

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` keys from `cursor` on.

        The first and the last cursor is 0. The table may change between two calls: one walk returns
        a key that is present throughout exactly once, and no key twice. The page holds more than
        `count` keys only if several keys share one place. It holds fewer only at the end of the
        walk, or if the table has been divided since the walk began.
        """
        place, hash_place = places_in(cursor)
        if self.first is not None and hash_place == 0:
            if self.scan_order is None:
                self.scan_order = ScanOrder(self.first, len(self.first))
                self.room = 0
            return self.scan_order.walk(cursor, count, self.first)
        page: list[bytes] = []
        while place < PLACES:
            part = self.parts[self.slot_of(hash_place)]
            self.sort(part)
            hash_place, found = part.page(hash_place, count - len(page))
            # The walk has returned some of these keys if it began before the table was divided.
            page += [key for key in found if place_of(key) >= place] if place else found
            if hash_place == HASH_PLACES:
                break
            if place or len(page) >= count:
                return cursor_of(place, hash_place), page
        return 0, page

    def sort(self, part: Part) -> None:
        """Sort the keys of a part for scans, unless they are sorted."""
        if part.names is not None:
            return
        part.names = sorted(part.held, key=place_of_hash)
        self.room = 0
        self.forget_order(part)
        if len(self.sorted) == SORTED_MAX:
            self.sorted.pop(0).names = None
        self.sorted.append(part)

    def forget_orders(self) -> None:
        """Drop all orders of sampling and scans. They are made again when they are needed."""
        self.scan_order = None
        self.sorted = []
        self.room = self.part_max
        for part in self.parts:
            part.order = part.names = None

    def forget_order(self, part: Part) -> None:
        """Remove a part from the list of sorted parts."""
        self.sorted = [each for each in self.sorted if each is not part]

    # -- parts -----------------------------------------------------------------------------

    def slot_of(self, place: int) -> int:
        """Return the slot of a place in the directory."""
        return place >> (HASH_BITS - self.depth)

    def run_of(self, part: Part) -> int:
        """Return the number of slots that lead to `part`."""
        return 1 << (self.depth - part.depth)

    def set_held(self, part: Part, held: dict[bytes, Any]) -> None:
        """Let `part` hold its keys in another dictionary."""
        part.held = held
        slot = self.slot_of(part.start)
        for each in range(slot, slot + self.run_of(part)):
            self.directory[each] = held

    def set_part(self, part: Part) -> None:
        """Let the slots of the range of `part` lead to it."""
        slot = self.slot_of(part.start)
        for each in range(slot, slot + self.run_of(part)):
            self.parts[each] = part
            self.directory[each] = part.held

    def note_added(self, slot: int, key: bytes) -> None:
        """Take note of a new key in the part of `slot`. Divide the part if it is too large."""
        part = self.parts[slot]
        part.add_name(key)
        if self.first is None:
            self.count += 1
        elif self.scan_order is not None:
            self.scan_order.add(key, part.held)
        if len(part.held) > part.keys_max:
            self.divide(part)

    def divide(self, part: Part) -> None:
        """Divide a part in the middle of its range, or of that part of it that holds all keys."""
        if part.depth == HASH_BITS:
            return  # all of its keys share one place
        self.forget_order(part)
        part = self.narrow(part)
        if len(part.held) <= part.keys_max:
            return
        if part.depth == self.depth:
            self.deepen()
        depth = part.depth + 1
        middle = part.start + (HASH_PLACES >> depth)
        limit = middle << HASH_SHIFT
        low: dict[bytes, Any] = {}
        high: dict[bytes, Any] = {}
        for key, value in part.held.items():
            if hash(key) & HASH_MASK < limit:
                low[key] = value
            else:
                high[key] = value
        self.set_part(self.new_part(low, depth, part.start))
        self.set_part(self.new_part(high, depth, middle))

    def narrow(self, part: Part) -> Part:
        """Halve the range of a part while all of its keys are in one half, and while it is too
        large. Return the part that holds them. No key is moved.

        Keys that come in the order of another table are alike in the first bits of their places.
        To move them once for each of these bits would take several milliseconds.
        """
        depth = part.differing_depth()
        if depth > HASH_BITS:
            part.keys_max *= 2  # all keys share one place
        while part.depth + 1 < depth and len(part.held) > part.keys_max:
            if part.depth == self.depth:
                self.deepen()
            middle = part.start + (HASH_PLACES >> part.depth + 1)
            start, other = part.start, middle
            if place_of_hash(next(iter(part.held))) >= middle:
                start, other = other, start
            self.set_part(self.new_part({}, part.depth + 1, other))
            part = self.new_part(part.held, part.depth + 1, start)
            self.set_part(part)
        return part

    def new_part(self, held: dict[bytes, Any], depth: int, start: int) -> Part:
        """Return a part. The size at which it is divided depends on its range."""
        number = start >> (HASH_BITS - depth)
        step = (number * GOLDEN & 0xFFFF) >> (16 - STAGGER_BITS)
        return Part(held, depth, start, max(1, self.part_max * STAGGER[step] >> 10))

    def deepen(self) -> None:
        """Double the directory."""
        if self.first is not None:
            self.count = len(self.first)
            self.first = self.scan_order = None
        self.depth += 1
        self.shift -= 1
        self.parts = [part for part in self.parts for _ in range(2)]
        self.directory = [part.held for part in self.parts]

    def shrink(self, slot: int) -> None:
        """Give memory of a part back: join it with its neighbour if the result is small, or copy
        its dictionary if that is sparse."""
        part = self.parts[slot]
        size = HASH_PLACES >> part.depth
        other = self.parts[self.slot_of(part.start ^ size)]
        total = len(part.held) + len(other.held)
        if other.depth == part.depth and (
            total <= self.part_max // JOIN_SHARE or not part.held or not other.held
        ):
            self.join(part, other)
        elif getsizeof(part.held) > SPARSE_BYTES + ENTRY_BYTES * len(part.held):
            self.set_held(part, dict(part.held.items()))

    def join(self, part: Part, other: Part) -> None:
        """Join two parts that were one before. At most one of them is large."""
        low, high = (part, other) if part.start < other.start else (other, part)
        if not low.held:
            held = high.held
        elif not high.held:
            held = low.held
        else:
            held = {**low.held, **high.held}
        if part.depth == 1:
            self.set_single(held)
            return
        self.forget_order(low)
        self.forget_order(high)
        self.set_part(self.new_part(held, part.depth - 1, low.start))
        while max([each.depth for each in self.parts]) < self.depth:
            self.depth -= 1
            self.shift += 1
            self.parts = self.parts[::2]
            self.directory = self.directory[::2]
        self.shrink(self.slot_of(low.start))
