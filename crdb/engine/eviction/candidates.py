"""Keys from which the next one to evict is chosen.

As in Redis, the order of a policy is approximated. For each key that is evicted, a few random keys
(`maxmemory-samples`) are compared with the best ones that earlier samples have left. The random
keys come from one part of the table after the other, since hashes decide which keys are in a part.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

KEPT_MAX: Final = 16
"""The keys that are kept from earlier samples."""

NextKeys = Callable[[int], tuple[int, list[bytes]]]
"""Takes a cursor. Returns the next one, and the keys of one part of a table."""
Score = Callable[[bytes], int | None]
"""Returns how much the policy wants a key to be evicted, or None if it must not be."""


class Candidates:
    """Random keys of one table, and the best of those that were seen."""

    __slots__ = ("best", "cursor", "keys", "rng", "walk")

    def __init__(self, walk: NextKeys, rng: random.Random) -> None:
        self.walk = walk
        self.rng = rng
        self.cursor = 0
        self.keys: list[bytes] = []
        """Keys that have not been looked at."""
        self.best: dict[bytes, int] = {}

    def choose(self, samples: int, score: Score) -> bytes | None:
        """Return the key to evict next; None if no key was found that may be evicted. Looks at
        `samples` keys, or at more if none of them may be evicted."""
        scores: list[tuple[int, bytes]] = []
        for key in [*self.best, *self.next_keys(samples)]:
            found = score(key)
            if found is not None:
                scores.append((found, key))
        if not scores:
            self.best = {}
            return None
        scores.sort(reverse=True)
        self.best = {key: found for found, key in scores[1 : KEPT_MAX + 1]}
        return scores[0][1]

    def next_keys(self, count: int) -> list[bytes]:
        """Return up to `count` random keys, and none only if there was none in one part."""
        if not self.keys:
            self.cursor, self.keys = self.walk(self.cursor)
        keys = self.keys
        taken: list[bytes] = []
        while keys and len(taken) < count:
            index = int(self.rng.random() * len(keys))
            keys[index], keys[-1] = keys[-1], keys[index]
            taken.append(keys.pop())
        return taken

    def is_at_end(self) -> bool:
        """Return whether the last key of the table has been looked at."""
        return not self.keys and not self.cursor

    def forget(self) -> None:
        """Forget all keys, since the scores have another meaning now."""
        self.keys = []
        self.best = {}
