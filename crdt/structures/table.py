"""A mapping from bytes that grows and shrinks in small steps (extendible hashing).

A dictionary of millions of keys stops its process for a fifth of a second whenever it grows. A
table is divided into parts instead. Each part is a dictionary of at most `part_max` keys. A part
that becomes too large is divided in two, and no other part is touched.

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

from collections.abc import Iterator
from itertools import chain
from sys import getsizeof
from typing import Any, Final

PLACE_BITS: Final = 28
PLACES: Final = 1 << PLACE_BITS
HASH_SHIFT: Final = 16
"""A dictionary uses the lowest bits of the hash. Places use higher ones, so that the keys of one
part do not collide in its dictionary."""
PLACE_MASK: Final = (PLACES - 1) << HASH_SHIFT
PART_MAX: Final = 5_400
"""The number of keys in a part before it is divided, which takes one to two milliseconds. A
dictionary of this size is nearly full: it would grow at 5,461 keys."""
SMALL_SHARE: Final = 8  # a part of at most 1/8 of the maximum gives memory back
JOIN_SHARE: Final = 4  # two parts are joined if the result is at most 1/4 of the maximum
SPARSE_BYTES: Final = 4096  # a dictionary up to this size is not worth a copy
ENTRY_BYTES: Final = 128  # a dictionary with more bytes for each of its keys is copied


def place_of_hash(key: bytes) -> int:
    """Return the place of `key`, from 0 to 2^28 - 1."""
    return (hash(key) & PLACE_MASK) >> HASH_SHIFT


class Part:
    """The keys of a range of places, with their values."""

    __slots__ = ("depth", "held", "start")

    def __init__(self, held: dict[bytes, Any], depth: int, start: int) -> None:
        self.held: dict[bytes, Any] = held
        self.depth: int = depth
        self.start: int = start
        """The first place of the range."""

    def stop(self) -> int:
        """Return the first place behind the range."""
        return self.start + (PLACES >> self.depth)


class Table:
    """A mapping from bytes to any values."""

    __slots__ = ("count", "depth", "directory", "first", "part_max", "parts", "shift")

    def __init__(self, part_max: int = PART_MAX) -> None:
        """Create an empty table of parts of at most `part_max` keys (2 or more)."""
        self.part_max: int = part_max
        self.reset()

    def reset(self) -> None:
        """Begin again with one empty part."""
        self.set_single({})

    def set_single(self, held: dict[bytes, Any]) -> None:
        """Hold exactly these keys, in one part."""
        self.first: dict[bytes, Any] | None = held
        """The only part's keys; None if there are several parts."""
        self.depth: int = 0
        self.shift: int = HASH_SHIFT + PLACE_BITS
        """The number of bits of a hash below those that give the slot."""
        self.directory: list[dict[bytes, Any]] = [held]
        """The keys of the part of each slot. `parts` leads to the same dictionaries, but this list
        saves a step in every access."""
        self.parts: list[Part] = [Part(held, 0, 0)]
        """The part of each slot."""
        self.count: int = 0
        """The number of keys, if there are several parts."""

    # -- one key ---------------------------------------------------------------------------

    def get(self, key: bytes) -> Any:
        """Return the value of `key`, None if there is none."""
        first = self.first
        if first is not None:
            return first.get(key)
        return self.directory[(hash(key) & PLACE_MASK) >> self.shift].get(key)

    def __getitem__(self, key: bytes) -> Any:
        return self.dict_of(key)[key]

    def __contains__(self, key: bytes) -> bool:
        first = self.first
        if first is not None:
            return key in first
        return key in self.directory[(hash(key) & PLACE_MASK) >> self.shift]

    def put(self, key: bytes, value: Any) -> None:
        """Store a value under a key. It replaces the previous value."""
        first = self.first
        if first is not None and len(first) < self.part_max:
            first[key] = value
            return
        slot = (hash(key) & PLACE_MASK) >> self.shift
        held = self.directory[slot]
        before = len(held)
        held[key] = value
        if len(held) != before:
            self.note_added(slot)

    def __setitem__(self, key: bytes, value: Any) -> None:
        self.put(key, value)

    def pop(self, key: bytes) -> Any:
        """Remove a key. Return its value, None if there is none."""
        first = self.first
        if first is not None:
            return first.pop(key, None)
        slot = (hash(key) & PLACE_MASK) >> self.shift
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
        return self.directory[(hash(key) & PLACE_MASK) >> self.shift]

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

    def clear(self) -> None:
        """Remove all keys. It takes long if there are many: see `pop_part`."""
        self.reset()

    def pop_part(self) -> dict[bytes, Any]:
        """Remove one whole part and return its keys and values, rarely none.

        Repeat this until the table is empty, to free a large table in slices.
        """
        if self.first is not None:
            held = self.first
            self.reset()
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
        return stop % PLACES, self.keys_between(cursor, stop)

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

    # -- parts -----------------------------------------------------------------------------

    def slot_of(self, place: int) -> int:
        """Return the slot of a place in the directory."""
        return place >> (PLACE_BITS - self.depth)

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

    def note_added(self, slot: int) -> None:
        """Take note of a new key in the part of `slot`. Divide the part if it is too large."""
        if self.first is None:
            self.count += 1
        part = self.parts[slot]
        if len(part.held) > self.part_max:
            self.divide(part)

    def divide(self, part: Part) -> None:
        """Divide a part in the middle of its range."""
        if part.depth == PLACE_BITS:
            return  # all of its keys share one place
        if part.depth == self.depth:
            self.deepen()
        depth = part.depth + 1
        middle = part.start + (PLACES >> depth)
        limit = middle << HASH_SHIFT
        low: dict[bytes, Any] = {}
        high: dict[bytes, Any] = {}
        for key, value in part.held.items():
            if hash(key) & PLACE_MASK < limit:
                low[key] = value
            else:
                high[key] = value
        self.set_part(Part(low, depth, part.start))
        self.set_part(Part(high, depth, middle))

    def deepen(self) -> None:
        """Double the directory."""
        if self.first is not None:
            self.count = len(self.first)
            self.first = None
        self.depth += 1
        self.shift -= 1
        self.parts = [part for part in self.parts for _ in range(2)]
        self.directory = [part.held for part in self.parts]

    def shrink(self, slot: int) -> None:
        """Give memory of a part back: join it with its neighbour if the result is small, or copy
        its dictionary if that is sparse."""
        part = self.parts[slot]
        size = PLACES >> part.depth
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
        self.set_part(Part(held, part.depth - 1, low.start))
        while max([each.depth for each in self.parts]) < self.depth:
            self.depth -= 1
            self.shift += 1
            self.parts = self.parts[::2]
            self.directory = self.directory[::2]
        self.shrink(self.slot_of(low.start))
