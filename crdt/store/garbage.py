"""Garbage collection: tombstones, superfluous deadlines and expired keys.

Metadata is dropped once every member has observed the effect that made it superfluous (rule MEM-2).
This needs no message. Keys with such metadata are listed in `keyspace.garbage`, so a collection
visits no other key.

Three things are removed by an ordinary, replicated effect:

* an expired key, or an expired field of a hash, once every member has reported a wall clock past
  its deadline. From then on no member that has observed the deadline shows the key or the field;
* a deadline whose key is gone, once every member has observed the removal of the key, or has
  reported a wall clock past the deadline;
* deadlines at FOREVER (PERSIST), once every member has observed them.

One member, the lowest region, emits these effects. A silent, local drop would not be safe (EXP-7).
Suppose that a replica drops an expired value silently and then writes to the key. Another replica
that still holds the old deadline would hide the new value. The same can happen to a member that
has lost its memory, while some members have dropped the deadline and others have not.
"""

from __future__ import annotations

from typing import Final

from crdt.causality.dots import Vector, covers, dominates
from crdt.store.keyspace import Keyspace

ALL: Final = 1 << 62  # more keys than a keyspace can hold


class Garbage:
    """The collector of one keyspace."""

    __slots__ = (
        "attempted",
        "collected",
        "cursor",
        "db",
        "done",
        "is_behind",
        "is_partial",
        "waiting",
    )

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.attempted: int = 0
        self.collected: int = 0
        self.cursor: int = 0
        """The position of the current round in the table of garbage. 0 if its last part has been
        reached."""
        self.waiting: list[bytes] = []
        """Keys of the reached part that the current round has not visited yet. The next one is the
        last."""
        self.done: int = 0
        """The number of keys that the latest collection has visited or deleted."""
        self.is_behind: bool = False
        """True if the latest collection has left garbage that can be collected immediately."""
        self.is_partial: bool = False
        """True if the latest collection may have left expired keys, because they were not settled.
        It does not see the deadlines of such keys."""

    def collect(self, stable: Vector, clock: int, leads: bool, keys_max: int = ALL) -> int:
        """Collect garbage. Return the number of keys that were cleaned up or deleted.

        Metadata that `stable` covers is dropped. If this replica `leads`, keys that expired before
        `clock` (ms) are deleted. `keys_max` bounds the number of keys visited, and also the number
        of keys deleted. The next call continues where this one stopped.
        """
        garbage = self.db.garbage
        keys = self.choose(keys_max)
        before, now = self.collected, dict(self.db.vector)
        self.is_partial = leads and self.db.is_unsettled
        for key in keys:
            if self.db.is_unsettled:
                if self.db.is_large_unsettled(key):
                    continue  # it is settled in slices first, and a later round visits it
                self.db.settle(key)
            left = self.db.collect_value(key, stable)
            left = self.collect_deadlines(key, stable, leads) or left
            if leads and self.is_orphan(key, stable, now):
                self.db.delete(key)
                left = False
            noted = garbage.pop(key)
            if left:
                garbage.put(key, noted)
            else:
                self.collected += 1
        expired = self.delete_expired(clock, keys_max) if leads else 0
        self.attempted += len(keys)
        self.done = len(keys) + expired
        self.is_behind = bool(self.waiting or self.cursor) or expired == keys_max
        return self.collected - before

    def choose(self, keys_max: int) -> list[bytes]:
        """Return the next `keys_max` garbage keys at most. A round visits each key once."""
        garbage = self.db.garbage
        keys: list[bytes] = []
        while len(keys) < keys_max:
            if not self.waiting:
                if keys and not self.cursor:
                    break  # the round is complete
                self.cursor, self.waiting = garbage.walk(self.cursor)
                self.waiting.reverse()
                if not self.waiting and not self.cursor:
                    break
            else:
                key = self.waiting.pop()
                if key in garbage:
                    keys.append(key)
        return keys

    def collect_deadlines(self, key: bytes, stable: Vector, may_write: bool) -> bool:
        """Remove deadlines at FOREVER once `stable` covers them.

        Return True if some are left, or if the key is gone and still has deadlines.
        """
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
        """Return whether a key has only deadlines left and all members have observed that.

        `now` is noted when a key is first found like this. It counts for as long as the key stays
        like this. If the key has come back meanwhile, a member that has observed the noted vector
        may have written to it while it was there, and the write keeps the deadline.
        """
        db = self.db
        if key in db.data or key not in db.deadlines.table:
            return False
        noted = db.garbage[key]
        if noted is None:
            db.garbage[key] = now
            return False
        return dominates(stable, noted)

    def is_due(self, key: bytes, clock: int) -> bool:
        """Return whether a key has expired, also after what waits for it was carried out. A large
        key is due again once it has been settled in slices."""
        deadlines = self.db.deadlines
        if self.db.is_large_unsettled(key):
            deadlines.put(key, deadlines.siblings(key))
            return False
        self.db.settle(key)
        return deadlines.deadline(key) < clock

    def delete_expired(self, clock: int, keys_max: int) -> int:
        """Delete keys that have expired by every member's clock. Return their number."""
        keys = self.db.deadlines.due(clock, keys_max)
        if self.db.is_unsettled:
            keys = [key for key in keys if self.is_due(key, clock)]
        for key in keys:
            self.db.delete(key)
        self.collected += len(keys)
        self.db.expired += len(keys)
        return len(keys) + self.delete_parts(clock, keys_max)

    def delete_parts(self, clock: int, parts_max: int) -> int:
        """Delete fields of hashes that have expired by every member's clock. Return the number of
        effects."""
        effects = self.db.removals_of_parts(clock, parts_max)
        for effect in effects:
            self.db.emit(effect)
        return len(effects)
