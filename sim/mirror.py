"""What a replica holds, followed change by change: a fingerprint of it, and its elements.

A mirror reads along as a snapshot does: the keyspace tells it of each key that is about to change.
So comparing two regions costs nothing but the keys that changed since. Unlike what clients see, a
mirror does not hide what has expired by the region's own clock, because the clocks of regions
differ and their data may not: `same` leaves out what ends before a given time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, TypeAlias, cast

import attrs

from crdt import codec
from crdt.contested import Contested
from crdt.expiry import FOREVER
from crdt.keyspace import Keyspace
from crdt.value import Value

STRING: Final = 1
LIST: Final = 5

Element: TypeAlias = tuple[int, bytes]
"""Type code, and member, field or value; of a string just its existence."""

NOTHING: Final[frozenset[Element]] = frozenset()


@attrs.frozen
class Change:
    """A key that has changed: the elements it had, and those it has now."""

    key: bytes
    before: frozenset[Element]
    after: frozenset[Element]


@attrs.frozen
class Fingerprint:
    """All that a replica holds, in short. `ending` are the deadlines of keys that have one, each
    with the hash of its key."""

    endless: int
    ending: tuple[tuple[int, int], ...]

    def same(self, other: Fingerprint, clock: int) -> bool:
        """Whether two replicas hold the same; keys that end before `clock` (ms) do not count."""
        if self.endless != other.endless:
            return False
        if self.ending == other.ending:
            return True
        mine = [entry for entry in self.ending if entry[0] > clock]
        return mine == [entry for entry in other.ending if entry[0] > clock]


class Mirror:
    """Follows one keyspace."""

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.dirty: dict[bytes, None] = {}
        self.held: dict[bytes, tuple[int, int, frozenset[Element]]] = {}
        self.endless = 0
        self.ending: dict[bytes, tuple[int, int]] = {}
        self.hashed = 0
        """How many keys were hashed: the price of all this."""
        for key in db.data:
            self.dirty[key] = None
        db.readers.append(self)

    def before_change(self, key: bytes) -> None:
        """`key` is about to change."""
        self.dirty[key] = None

    def soil(self) -> None:
        """Anything may have changed: a snapshot was merged."""
        for key in (*self.held, *self.db.data):
            self.dirty[key] = None

    def refresh(self) -> list[Change]:
        """Take in what has changed since the last call."""
        changes: list[Change] = []
        for key in self.dirty:
            before = self.forget(key)
            after = self.take(key)
            if before != after:
                changes.append(Change(key, before, after))
        self.dirty.clear()
        return changes

    def forget(self, key: bytes) -> frozenset[Element]:
        """Drop what is known of a key; its elements."""
        held = self.held.pop(key, None)
        if held is None:
            return NOTHING
        hashed, deadline, elements = held
        if deadline >= FOREVER:
            self.endless ^= hashed
        else:
            del self.ending[key]
        return elements

    def take(self, key: bytes) -> frozenset[Element]:
        """Look at a key; its elements."""
        value = self.db.data.get(key)
        if value is None:
            return NOTHING
        deadline = self.db.deadlines.deadline(key)
        parts = [(part.code(), part.visible()) for part in parts_of(value)]
        packed = codec.pack_body((key, parts, deadline))
        hashed = int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big")
        self.hashed += 1
        elements = frozenset(each for code, shown in parts for each in elements_of(code, shown))
        self.held[key] = hashed, deadline, elements
        if deadline >= FOREVER:
            self.endless ^= hashed
        else:
            self.ending[key] = deadline, hashed
        return elements

    def fingerprint(self) -> Fingerprint:
        """What the replica holds, as of the last `refresh`."""
        assert not self.dirty, "refresh first"
        return Fingerprint(self.endless, tuple(sorted(self.ending.values())))


def parts_of(value: Value) -> list[Value]:
    """The living values of all types under a key."""
    if isinstance(value, Contested):
        found = [value.parts[code] for code in sorted(value.parts)]
        return [part for part in found if part.alive()]
    return [value]


def elements_of(code: int, shown: object) -> Iterator[Element]:
    """What there is one of in a value: members, fields, list values."""
    if code == STRING or not isinstance(shown, list):
        yield code, b""
        return
    for item in cast("list[object]", shown):
        name = cast("tuple[object, ...]", item)[0] if isinstance(item, tuple) else item
        assert isinstance(name, bytes)
        yield code, name
