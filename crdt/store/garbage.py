"""Forgetting: the few things that outlive their removal, and keys that have expired.

Metadata is dropped once every member has observed what made it superfluous (rule MEM-2), and that
costs no message. Keys with such metadata are listed in
`keyspace.garbage`, so a collection visits no other key.

An expired key is removed once every member has reported a wall clock past its deadline, when none
of them takes it for alive any more; a deadline whose key is gone, once everybody has seen all that
made it go; deadlines that never come, once everybody has seen them. One of them does it, the lowest
region, and by an ordinary effect: a replica that dropped these silently and then wrote to the key
anew would leave its new value to be buried elsewhere, by remains and a deadline that it no longer
knows of (EXP-7); and whoever has lost its memory may write beside what some have dropped silently
and others have not.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from crdt.causality.dots import Vector, covers, dominates
from crdt.store.keyspace import Keyspace

ALL: Final = 1 << 62  # more keys than there can be


class Garbage:
    """The collector of one keyspace."""

    __slots__ = ("attempted", "collected", "db", "done", "is_behind", "orphans", "rest")

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.orphans: dict[bytes, tuple[tuple[int, ...], Vector]] = {}
        self.attempted: int = 0
        self.collected: int = 0
        self.rest: int = 0
        """Litter of the present round that has not been looked at yet."""
        self.done: int = 0
        """Keys that the latest collection has looked at or deleted."""
        self.is_behind: bool = False
        """True if the last collection has left garbage that the next one can collect already."""

    def collect(self, stable: Vector, clock: int, leads: bool, keys_max: int = ALL) -> int:
        """Drop what is superfluous below `stable` and, if this replica `leads`, delete what expired
        before `clock` (ms); how many keys were helped. Looks at no more than `keys_max` and deletes
        no more; the next collection goes on with the others."""
        litter = self.db.garbage
        keys = self.choose(keys_max)
        before, now = self.collected, dict(self.db.vector)
        for key in keys:
            left = self.db.collect_value(key, stable)
            left = self.sweep_deadlines(key, stable, leads) or left
            if leads and self.is_orphan(key, stable, now):
                self.db.delete(key)
                left = False
            litter.pop(key, None)
            if left:
                litter[key] = None
            else:
                self.orphans.pop(key, None)
                self.collected += 1
        expired = self.reap(clock, keys_max) if leads else 0
        self.attempted += len(keys)
        self.done = len(keys) + expired
        self.is_behind = self.rest > 0 or expired == keys_max
        return self.collected - before

    def choose(self, keys_max: int) -> list[bytes]:
        """The litter to look at now. A round takes in each key once."""
        litter = self.db.garbage
        if self.rest == 0:
            self.rest = len(litter)
        keys = list(islice(litter, min(self.rest, keys_max)))
        self.rest = min(self.rest, len(litter)) - len(keys)
        return keys

    def sweep_deadlines(self, key: bytes, stable: Vector, may_write: bool) -> bool:
        """Forget deadlines that never come, once everybody has seen them; True if some are left, or
        are those of a key that is gone."""
        db = self.db
        db.compact_deadline(key)
        siblings = db.deadlines.table.get(key)
        if siblings is None:
            return False
        if not db.deadlines.no_expiry(key):
            return key not in db.data
        for dot in siblings[::2]:
            if not covers(stable, dot):
                return True
        if may_write:
            db.forget(key)
        return not may_write

    def is_orphan(self, key: bytes, stable: Vector, now: Vector) -> bool:
        """Return whether only deadlines are left of a key, and all members have seen that."""
        siblings = self.db.deadlines.table.get(key)
        if siblings is None or key in self.db.data:
            self.orphans.pop(key, None)
            return False
        noted = self.orphans.get(key)
        if noted is None or noted[0] != siblings:
            self.orphans[key] = (siblings, now)
            return False
        return dominates(stable, noted[1])

    def reap(self, clock: int, keys_max: int) -> int:
        """Delete keys that all members know to have expired; how many."""
        keys = self.db.deadlines.due(clock, keys_max)
        for key in keys:
            self.db.delete(key)
        self.collected += len(keys)
        self.db.expired += len(keys)
        return len(keys)
