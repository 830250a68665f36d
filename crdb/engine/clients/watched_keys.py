"""The keys whose changes sessions wait for.

The keyspace records each effect on a key of its `watched_keys` set. WATCH and the blocking commands
both add keys to it. Each key has a count of the sessions that watch it, and is removed at zero.
"""

from __future__ import annotations


class WatchedKeys:
    """Counts the holders of each key in a keyspace's `watched_keys`."""

    __slots__ = ("counts", "keys")

    def __init__(self, keys: set[bytes]) -> None:
        self.keys = keys
        self.counts: dict[bytes, int] = {}

    def hold(self, key: bytes) -> None:
        """Add one session that watches `key`."""
        self.counts[key] = self.counts.get(key, 0) + 1
        self.keys.add(key)

    def release(self, key: bytes) -> None:
        """Remove one session that watches `key`. At zero the key is no longer tracked."""
        count = self.counts[key] - 1
        assert count >= 0
        if count == 0:
            del self.counts[key]
            self.keys.discard(key)
        else:
            self.counts[key] = count
