"""The frequency of a key's use, in 24 bits, as Redis counts it for the LFU policies.

The word of a key holds the minute of its last use (16 bits) and a counter (8 bits). A use increases
the counter with a probability that falls with its value, so that 255 stands for about a million
uses (`lfu-log-factor` 10). The counter falls by one for every `lfu-decay-time` minutes without a
use. A new key begins with 5, so that it is not evicted before it could be used again.
"""

from __future__ import annotations

import random
from typing import Final

COUNTER_BITS: Final = 8
COUNTER_MAX: Final = 255
COUNTER_NEW: Final = 5
MINUTES: Final = 1 << 16


class Frequency:
    """Counts uses. Times are in seconds."""

    __slots__ = ("decay_minutes", "log_factor", "rng")

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.log_factor = 10
        self.decay_minutes = 1
        """The minutes without a use after which a counter falls by one; 0 is never."""

    def word(self, counter: int, now: int) -> int:
        """Return the word of a key that is used now, with this counter."""
        return now // 60 % MINUTES << COUNTER_BITS | counter

    def counter(self, word: int, now: int) -> int:
        """Return the counter of a key now."""
        counter = word & COUNTER_MAX
        if not self.decay_minutes:
            return counter
        idle = (now // 60 - (word >> COUNTER_BITS)) % MINUTES
        return max(counter - idle // self.decay_minutes, 0)

    def used(self, word: int, now: int) -> int:
        """Return the word of a key after one more use, now."""
        counter = self.counter(word, now)
        if counter < COUNTER_MAX:
            base = max(counter - COUNTER_NEW, 0)
            if self.rng.random() * (base * self.log_factor + 1) < 1.0:
                counter += 1
        return self.word(counter, now)
