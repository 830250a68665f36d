"""Forgetting: the few things that outlive their removal, and keys that have expired.

Metadata is dropped once every member has observed what made it superfluous (rule MEM-2), and that
costs no message. What waits is named in `keyspace.litter`, so a collection looks at nothing else.

An expired key is removed once every member has reported a wall clock past its deadline, when none of
them takes it for alive any more. One of them does it, the lowest region, and by an ordinary delete: a
replica that dropped the key silently and then wrote to it anew would leave its new value to be buried
elsewhere, by remains and a deadline that it no longer knows of (EXP-7).
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
        """Drop what is superfluous below `stable`, delete what expired before `clock` (ms; 0 where
        that is the business of another); how many keys were helped."""
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
        """Delete keys that all members know to have expired."""
        for key in self.db.deadlines.due(clock, REAP_MAX):
            self.db.delete(key)
            self.collected += 1
