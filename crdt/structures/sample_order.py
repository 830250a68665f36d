"""The keys of a dictionary that changes meanwhile, for choosing one at random.

A key that left and came back may stand in the list more than once until the list is compacted.
"""

from __future__ import annotations

import random
from typing import Any, Final

SLACK: Final = 64  # below this many dead entries, compaction is not worth its pass


class Order:
    """Keys of one dictionary by age. `keys` holds every key of the dictionary at least once."""

    __slots__ = ("keys",)

    def __init__(self, keys: list[bytes]) -> None:
        self.keys: list[bytes] = keys

    def add(self, key: bytes, alive: dict[bytes, Any]) -> None:
        """Record that `key` has come to `is_live`. Amortised O(1)."""
        keys = self.keys
        keys.append(key)
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)

    def compact(self, alive: dict[bytes, Any]) -> None:
        """Drop what has gone, and all but the newest entry of what came more than once."""
        newest = dict.fromkeys(reversed(self.keys))
        self.keys = [key for key in reversed(newest) if key in alive]

    def pick(self, rng: random.Random, alive: dict[bytes, Any]) -> bytes:
        """Return a random key of `is_live`, which is not empty. Expected O(1)."""
        assert alive
        keys = self.keys
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)
            keys = self.keys
        while True:
            key = keys[int(rng.random() * len(keys))]
            if key in alive:
                return key
