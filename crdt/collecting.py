"""Forgetting: the few things that outlive their removal, and keys that have expired.

Metadata is dropped once every member has observed what made it superfluous (rule MEM-2); an
expired key once every member has reported a wall clock past its deadline, so that each of them
would remove it before writing to it again. Neither costs a message. What waits is named in
`keyspace.litter`, so a collection looks at nothing else.
"""

from __future__ import annotations

from typing import Final

from crdt.dots import Vector, covers, dominates
from crdt.keyspace import Keyspace

REAP_MAX: Final = 1000  # expired keys dropped by one collection, so that it stays short


class Garbage:
    """The collector of one keyspace."""

    __slots__ = ("attempted", "collected", "db", "orphans")

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.orphans: dict[bytes, tuple[tuple[int, ...], Vector]] = {}
        self.attempted = 0
        self.collected = 0

    def collect(self, stable: Vector, clock: int) -> int:
        """Drop what is superfluous below `stable` and `clock` (ms); how many keys were helped."""
        self.attempted += len(self.db.litter)
        before = self.collected
        now = dict(self.db.vector)
        for key in sorted(self.db.litter):
            left = self.sweep_values(key, stable)
            left = self.sweep_deadlines(key, stable, now) or left
            if not left:
                self.db.litter.discard(key)
                self.orphans.pop(key, None)
                self.collected += 1
        self.reap(clock)
        return self.collected - before

    def sweep_values(self, key: bytes, stable: Vector) -> bool:
        """Sweep the values under a key; True if some litter is left."""
        db = self.db
        value = db.data.get(key)
        if value is not None:
            return value.sweep(stable)
        value = db.graves.get(key)
        if value is None:
            return False
        left = value.sweep(stable)
        if value.vacant():
            del db.graves[key]
            return False
        return left

    def sweep_deadlines(self, key: bytes, stable: Vector, now: Vector) -> bool:
        """Drop deadlines that say nothing: those that never come, once everybody has seen them,
        and those of a key that is gone, once everybody has seen all that made it go."""
        db = self.db
        siblings = db.deadlines.table.get(key)
        if siblings is None:
            return False
        if key in db.data:
            self.orphans.pop(key, None)
            if db.deadlines.endless(key):
                if all(covers(stable, dot) for dot in siblings[::2]):
                    db.deadlines.put(key, ())
                    return False
                return True
            return False
        noted = self.orphans.get(key)
        if noted is None or noted[0] != siblings:
            self.orphans[key] = (siblings, now)
        elif dominates(stable, noted[1]):
            db.deadlines.put(key, ())
            return False
        return True

    def reap(self, clock: int) -> None:
        """Drop expired keys that all members know to have expired."""
        db = self.db
        for key in db.deadlines.due(clock, REAP_MAX):
            if db.readers:
                db.warn_readers(key)
            db.data.pop(key, None)
            db.graves.pop(key, None)
            db.deadlines.put(key, ())
            db.litter.discard(key)
            self.orphans.pop(key, None)
            self.collected += 1
