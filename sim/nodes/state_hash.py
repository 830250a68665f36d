"""What a replica holds, followed change by change: a fingerprint of it, and its elements.

A `StateHash` reads along as a snapshot does: the keyspace reports each key before it changes.
So comparing two regions costs nothing but the keys that changed since. Unlike what clients see, a
mirror does not hide what has expired by the region's own clock, because the clocks of regions
differ and their data may not: `is_equal_after` leaves out what ends before a given time.

A change that the keyspace does not report is not seen here, and is lacking in snapshots for the
same reason: `unreported_changes` finds it, at the price of looking at every key.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias

import attrs

from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from crdt.wire import codec

Element: TypeAlias = tuple[int, bytes]
"""Type code, and member, field or value; of a string just its existence."""
Elements: TypeAlias = tuple[tuple[int, frozenset[bytes]], ...]
"""Those of a key, by type; nearly always of one."""

NOTHING: Final[Elements] = ()


@attrs.frozen
class Change:
    """A key that has changed: the elements it had, and those it has now. They may be the same: then
    a value has changed, or for how long it lives."""

    key: bytes
    before: Elements
    after: Elements

    def added_elements(self) -> list[Element]:
        """The elements that it has now and had not."""
        return elements_missing(self.after, self.before)

    def removed_elements(self) -> list[Element]:
        """The elements that it had and has no more."""
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
"""What a key shows of each of its types."""
Held: TypeAlias = tuple[int, int, Elements, Parts]
"""Of a key: a hash of all that it holds, its deadline, its elements, and what it shows."""


@attrs.frozen
class Fingerprint:
    """All that a replica holds, in short. `ending` are the deadlines of keys that have one, each
    with the hash of its key."""

    no_expiry: int
    ending: tuple[tuple[int, int], ...]

    def is_equal_after(self, other: Fingerprint, clock: int) -> bool:
        """Return whether two replicas hold the same, without keys that end before `clock` (ms)."""
        if self.no_expiry != other.no_expiry:
            return False
        if self.ending == other.ending:
            return True
        mine = [entry for entry in self.ending if entry[0] > clock]
        return mine == [entry for entry in other.ending if entry[0] > clock]


class StateHash:
    """Follows one keyspace."""

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.dirty: dict[bytes, None] = dict.fromkeys(db.held_keys())
        self.held: dict[bytes, Held] = {}
        self.no_expiry = 0
        self.ending: dict[bytes, tuple[int, int]] = {}
        self.sorted: tuple[tuple[int, int], ...] | None = ()
        """The values of `ending`; None if they have changed since."""
        self.hashed = 0
        """How many keys were hashed: the price of all this."""
        db.add_reader(self)

    def before_change(self, key: bytes) -> None:
        """`key` is about to change."""
        self.dirty[key] = None

    def mark_all_dirty(self) -> None:
        """Anything may have changed: a snapshot was merged."""
        for key in (*self.held, *self.db.held_keys()):
            self.dirty[key] = None

    def take_changes(self) -> list[Change]:
        """Take in what has changed since the last call."""
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
        """Replace what is held under a key."""
        if before is not None:
            if before[1] >= FOREVER:
                self.no_expiry ^= before[0]
            else:
                del self.ending[key]
                self.sorted = None
            del self.held[key]
        if after is not None:
            if after[1] >= FOREVER:
                self.no_expiry ^= after[0]
            else:
                self.ending[key] = after[1], after[0]
                self.sorted = None
            self.held[key] = after

    def hash_key(self, key: bytes) -> Held | None:
        """Look at a key."""
        live = self.db.live_parts(key)
        if not live:
            return None
        deadline = self.db.deadline(key)
        deadline = FOREVER if deadline is None else deadline
        parts = [(part.code(), part.visible()) for part in live]
        packed = codec.pack_body((key, parts, deadline))
        hashed = int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big")
        self.hashed += 1
        types = self.db.types.by_code
        elements = tuple([(code, types[code].elements(shown)) for code, shown in parts])
        return hashed, deadline, elements, parts

    def unreported_changes(self) -> list[tuple[bytes, Held | None, Held | None]]:
        """Return the keys that hold something else than was last seen, although no
        change was reported, each with what was seen and what it holds. O(size of the data)."""
        found: list[tuple[bytes, Held | None, Held | None]] = []
        for key in sorted({*self.held, *self.db.held_keys()}):
            if key not in self.dirty:
                seen, held = self.held.get(key), self.hash_key(key)
                if seen != held:
                    found.append((key, seen, held))
        return found

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the replica as of the last `take_changes`."""
        assert not self.dirty, "refresh first"
        if self.sorted is None:
            self.sorted = tuple(sorted(self.ending.values()))
        return Fingerprint(self.no_expiry, self.sorted)


def elements_of(held: Held | None) -> Elements:
    """The elements of a key that may not be there."""
    return NOTHING if held is None else held[2]
