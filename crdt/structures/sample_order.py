"""The keys of a changing dictionary in a list, from which a random key can be chosen.

A key that was removed and added again may occur in the list several times until it is compacted.
"""

from __future__ import annotations

import random
from typing import Any, Final

SLACK: Final = 64  # fewer removed keys than this do not justify a compaction


class Order:
    """Keys of one dictionary by age. `keys` holds every key of the dictionary at least once."""

    __slots__ = ("keys",)

    def __init__(self, keys: list[bytes]) -> None:
        self.keys: list[bytes] = keys

    def add(self, key: bytes, alive: dict[bytes, Any]) -> None:
        """Record that `key` has been added to `alive`. Amortised O(1)."""
        keys = self.keys
        keys.append(key)
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)

    def compact(self, alive: dict[bytes, Any]) -> None:
        """Drop removed keys, and all but the newest entry of each other key."""
        newest = dict.fromkeys(reversed(self.keys))
        self.keys = [key for key in reversed(newest) if key in alive]

    def pick(self, rng: random.Random, alive: dict[bytes, Any]) -> bytes:
        """Return a random key of `alive`, which is not empty. Expected O(1)."""
        assert alive
        keys = self.keys
        if len(keys) > 2 * len(alive) + SLACK:
            self.compact(alive)
            keys = self.keys
        while True:
            key = keys[int(rng.random() * len(keys))]
            if key in alive:
                return key
