"""The order in which keys came, for walking and sampling a dictionary that changes meanwhile.

A walk goes from the newest key to the oldest, and its cursor is the number of keys still to be
visited. New keys come behind the walker; when the list is compacted, keys only move towards
the end of the walk. So a key that is present throughout a walk is visited at least once, and the
cursor is a plain integer that needs no state in the server: the guarantee of SCAN. A key that
comes and goes may be visited twice.
"""

from __future__ import annotations

import random
from typing import Any, Final

SLACK: Final = 64  # below this many dead entries, compaction is not worth its pass


class Order:
    """Keys of one dictionary by age. Every key of the dictionary is in `keys` at least once."""

    __slots__ = ("keys",)

    def __init__(self, keys: list[bytes]) -> None:
        self.keys: list[bytes] = keys

    def add(self, key: bytes, alive: dict[bytes, Any]) -> None:
        """Note that `key` has come to `alive`, where it is by now. Amortised O(1)."""
        keys = self.keys
        keys.append(key)
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)

    def compact(self, alive: dict[bytes, Any]) -> None:
        """Drop what has gone, and all but the newest entry of what came more than once."""
        newest = dict.fromkeys(reversed(self.keys))
        self.keys = [key for key in reversed(newest) if key in alive]

    def walk(self, cursor: int, count: int, alive: dict[bytes, Any]) -> tuple[int, list[bytes]]:
        """About `count` keys onwards from `cursor` (0 starts); 0 comes back at the end. A few more
        entries are looked at where some are dead, so that a small dictionary is walked at once."""
        if len(self.keys) > 2 * len(alive) + SLACK:
            self.compact(alive)
        keys = self.keys
        stop = len(keys) if cursor <= 0 else min(cursor, len(keys))
        start = max(0, stop - count - min(SLACK, len(keys) - len(alive))) if alive else 0
        return start, [key for key in reversed(keys[start:stop]) if key in alive]

    def pick(self, rng: random.Random, alive: dict[bytes, Any]) -> bytes:
        """A random key of `alive`, which is not empty. Expected O(1)."""
        assert alive
        keys = self.keys
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)
            keys = self.keys
        while True:
            key = keys[int(rng.random() * len(keys))]
            if key in alive:
                return key
