"""Which keys somebody wants to hear about.

The keyspace notes each effect on a key of its `interest` set. Both WATCH and the blocking commands
put keys there, so they are counted here, and leave when the last one has lost interest.
"""

from __future__ import annotations


class Interest:
    """Counts the holders of each key in a keyspace's `interest`."""

    __slots__ = ("counts", "keys")

    def __init__(self, keys: set[bytes]) -> None:
        self.keys = keys
        self.counts: dict[bytes, int] = {}

    def hold(self, key: bytes) -> None:
        """One more wants to hear of `key`."""
        self.counts[key] = self.counts.get(key, 0) + 1
        self.keys.add(key)

    def release(self, key: bytes) -> None:
        """One fewer wants to."""
        count = self.counts[key] - 1
        assert count >= 0
        if count == 0:
            del self.counts[key]
            self.keys.discard(key)
        else:
            self.counts[key] = count
