"""The keys whose changes sessions wait for.

The keyspace records each effect on a watched key. WATCH and the blocking commands both add keys.
Each key has a count of the sessions that watch it, and is removed at zero.
"""

from __future__ import annotations

from crdt.store.keyspace import Keyspace


class WatchedKeys:
    """Counts the sessions that watch each key of a keyspace."""

    __slots__ = ("counts", "db")

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.counts: dict[bytes, int] = {}

    def hold(self, key: bytes) -> None:
        """Add one session that watches `key`."""
        self.counts[key] = self.counts.get(key, 0) + 1
        self.db.watch(key)

    def release(self, key: bytes) -> None:
        """Remove one session that watches `key`. At zero the key is no longer tracked."""
        count = self.counts[key] - 1
        assert count >= 0
        if count == 0:
            del self.counts[key]
            self.db.unwatch(key)
        else:
            self.counts[key] = count
