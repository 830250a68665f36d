"""The state hash of a replica: a fingerprint and the elements of its keys, updated incrementally.

Like a snapshot, a `StateHash` is a reader of the keyspace: the keyspace reports each key before it
changes. Comparing two regions therefore costs only the keys that changed since the last time.

The state hash does not hide keys that have expired by the region's own clock. The clocks of regions
differ, while their data must not. `is_equal_after` leaves out keys that end before a given time,
and fields of hashes that do.

If the keyspace fails to report a change, the state hash misses it, and so do snapshots.
`unreported_changes` finds such keys, but must hash every key.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias, cast

import attrs

from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from crdt.testing.peeking import keys_that_may_exist
from crdt.wire import codec

Element: TypeAlias = tuple[int, bytes]
"""Type code, and member, field or value. A string has one element, which marks its existence."""
Elements: TypeAlias = tuple[tuple[int, frozenset[bytes]], ...]
"""The elements of a key by type code. Nearly all keys have one type."""

NOTHING: Final[Elements] = ()


@attrs.frozen
class Change:
    """A changed key, with its elements before and after.

    Both can be equal: then only a value or the deadline has changed.
    """

    key: bytes
    before: Elements
    after: Elements

    def added_elements(self) -> list[Element]:
        """Return the elements in `after` that are not in `before`."""
        return elements_missing(self.after, self.before)

    def removed_elements(self) -> list[Element]:
        """Return the elements in `before` that are not in `after`."""
        return elements_missing(self.before, self.after)


def elements_missing(some: Elements, others: Elements) -> list[Element]:
    """Return the elements of `some` that are not in `others`, sorted."""
    there = dict(others)
    found: list[Element] = []
    for code, names in some:
        new = names.difference(there.get(code, NOTHING))
        if new:
            found += [(code, name) for name in sorted(new)]
    return found


Parts: TypeAlias = list[tuple[int, Any]]
"""The visible value of a key for each of its types, with the type code."""
Ending: TypeAlias = tuple[int, int]
"""A deadline, and the hash of a key or of a field that has this deadline."""
Held: TypeAlias = tuple[int, int, Elements, Parts, tuple[Ending, ...]]
"""The hash of a key, its deadline, its elements and its visible values. The hash is that of what
has no deadline of its own; fields that have one follow."""


@attrs.frozen
class Fingerprint:
    """A fingerprint of the data of a replica.

    `no_expiry` combines the hashes of the keys without a deadline. `ending` contains the deadline
    and the hash of each other key, and of each field with a deadline, sorted.
    """

    no_expiry: int
    ending: tuple[Ending, ...]

    def is_equal_after(self, other: Fingerprint, clock: int) -> bool:
        """Return whether two replicas hold equal data, except keys that end by `clock` (ms)."""
        if self.no_expiry != other.no_expiry:
            return False
        if self.ending == other.ending:
            return True
        mine = [entry for entry in self.ending if entry[0] > clock]
        return mine == [entry for entry in other.ending if entry[0] > clock]


class StateHash:
    """The incrementally updated hash of one keyspace."""

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.dirty: dict[bytes, None] = dict.fromkeys(db.held_keys())
        self.held: dict[bytes, Held] = {}
        self.no_expiry = 0
        self.ending: dict[bytes, tuple[Ending, ...]] = {}
        self.sorted: tuple[Ending, ...] | None = ()
        """The values of `ending`; None if they have changed since."""
        self.hashed = 0
        """The number of keys hashed so far, which measures the cost."""
        db.add_reader(self)

    def before_change(self, key: bytes) -> None:
        """Mark `key` as dirty. The keyspace calls this before the key changes."""
        self.dirty[key] = None

    def before_flush(self, key: bytes) -> None:
        """Mark `key` as dirty."""
        self.dirty[key] = None

    def mark_all_dirty(self) -> None:
        """Mark every key as dirty, for example because a snapshot was merged."""
        self.dirty.update(dict.fromkeys(self.held))
        self.dirty.update(keys_that_may_exist(self.db))

    def drain_changes(self) -> list[Change]:
        """Hash the dirty keys. Return the keys that have changed since the last call."""
        changes: list[Change] = []
        for key in self.dirty:
            before = self.held.get(key)
            after = self.hash_key(key)
            if before != after:
                self.replace_held(key, before, after)
                changes.append(Change(key, elements_of(before), elements_of(after)))
        self.dirty.clear()
        return changes

    def replace_held(self, key: bytes, before: Held | None, after: Held | None) -> None:
        """Replace the recorded state of a key. None stands for a key that does not exist."""
        if before is not None:
            if before[1] >= FOREVER:
                self.no_expiry ^= before[0]
            if self.ending.pop(key, None) is not None:
                self.sorted = None
            del self.held[key]
        if after is not None:
            if after[1] >= FOREVER:
                self.no_expiry ^= after[0]
            ending = endings_of(after)
            if ending:
                self.ending[key] = ending
                self.sorted = None
            self.held[key] = after

    def hash_key(self, key: bytes) -> Held | None:
        """Return the present state of a key, or None if it does not exist."""
        live = self.db.live_parts(key)
        if not live:
            return None
        deadline = self.db.deadline(key)
        deadline = FOREVER if deadline is None else deadline
        parts = [(part.code(), part.visible()) for part in live]
        lasting: Parts = []
        fields: list[Ending] = []
        for part, (code, shown) in zip(live, parts, strict=True):
            timed = deadlines_of_fields(part) if part.earliest_deadline() else {}
            for pair, ends in timed.items():
                fields.append((min(deadline, ends), fingerprint_of((key, pair, ends))))
            rest: Any = (
                [pair for pair in cast("list[Any]", shown) if pair not in timed] if timed else shown
            )
            if rest or not timed:
                lasting.append((code, rest))
        hashed = fingerprint_of((key, lasting, deadline))
        if not lasting:  # the key ends with the last of its fields
            deadline = max(ends for ends, _ in fields)
        self.hashed += 1
        types = self.db.types.by_code
        elements = tuple([(code, types[code].elements(shown)) for code, shown in parts])
        return hashed, deadline, elements, parts, tuple(sorted(fields))

    def unreported_changes(self) -> list[tuple[bytes, Held | None, Held | None]]:
        """Return the keys that have changed without a report by the keyspace.

        Each key comes with its recorded and its present state. O(size of the data).
        """
        found: list[tuple[bytes, Held | None, Held | None]] = []
        for key in sorted({*self.held, *self.db.held_keys()}):
            if key not in self.dirty:
                seen, held = self.held.get(key), self.hash_key(key)
                if seen != held:
                    found.append((key, seen, held))
        return found

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the replica as of the last `drain_changes`."""
        assert not self.dirty, "refresh first"
        if self.sorted is None:
            self.sorted = tuple(sorted([each for ends in self.ending.values() for each in ends]))
        return Fingerprint(self.no_expiry, self.sorted)


def fingerprint_of(item: Any) -> int:
    """Return the hash of an item."""
    packed = codec.pack_body(item)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big")


def deadlines_of_fields(part: Any) -> dict[Any, int]:
    """Return the visible fields of a hash that have a deadline, with their values, each with it."""
    found: dict[Any, int] = {}
    for pair in part.visible():
        ends: int | None = part.deadline_of(pair[0])
        if ends is not None:
            found[pair] = ends
    return found


def endings_of(held: Held) -> tuple[Ending, ...]:
    """Return what ends of a key: the key itself, and fields."""
    return held[4] if held[1] >= FOREVER else ((held[1], held[0]), *held[4])


def what_stays(held: Held | None, clock: int) -> tuple[Ending, ...]:
    """Return the key without what ends by `clock` (ms), in a form that can be compared."""
    if held is None:
        return ()
    return tuple([each for each in ((held[1], held[0]), *held[4]) if each[0] > clock])


def elements_of(held: Held | None) -> Elements:
    """Return the elements of a key; none if the key does not exist."""
    return NOTHING if held is None else held[2]
