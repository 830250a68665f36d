"""Eviction of keys (rules EVI-1 to EVI-7).

An evicted key is deleted as DEL deletes it: the effect removes what this region has observed, in
every region, and a concurrent write elsewhere survives (EVI-4). Deletes of one key by two regions
converge, so eviction brings no key back.

Each region decides alone (EVI-7). A region without peers evicts when more than `maxmemory` is used.
Regions with peers hold the same keys, and what one of them evicts is freed in all. If they began at
the same moment, they would evict several times as much as needed. So they begin one after the
other, between 80 % and 100 % of `maxmemory`, the region with the lowest number first (EVI-3,
EVI-5).
If that one is full of other things, or cannot be reached, the next one begins a little later.

The memory to free is measured, and the size of an evicted key is estimated. Keys are evicted in
slices, larger ones while the use is further above the limit (EVI-5). When the estimate is reached,
the memory is measured again. Writes are refused only if no key is left to evict, or if the use is
far beyond the limit (EVI-6).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from crdb.engine.eviction.candidates import Candidates
from crdb.engine.eviction.frequency import COUNTER_MAX, COUNTER_NEW, Frequency
from crdb.engine.eviction.policy import EvictionOptions, EvictionOrder, EvictionPolicy
from crdb.engine.metrics.memory_usage import key_bytes
from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from crdt.store.uses import read_use, settled_keys_from, store_use

BEGIN_PERCENT: Final = 80
"""The part of `maxmemory` at which the first of several regions begins."""
SLICE_KEYS: Final = 100
"""The keys that one slice evicts near the limit."""
SLICE_KEYS_MAX: Final = 2000
"""The keys that it evicts at 110 % of the limit."""
TRIES_MAX: Final = 100
"""A slice ends after so many samples without a key that may be evicted."""
ELEMENTS_SAMPLED: Final = 5
"""The elements of a value that are measured."""
SCORE_MAX: Final = 1 << 62


class Eviction:
    """The eviction of one instance's keys."""

    __slots__ = (
        "candidates",
        "db",
        "debt_bytes",
        "evicted",
        "exceeded_ms",
        "exceeded_since",
        "excess_percent",
        "frequency",
        "has_failed",
        "measure",
        "on_evicted",
        "policy",
        "rng",
        "samples",
        "uses",
    )

    def __init__(self, db: Keyspace, rng: random.Random) -> None:
        self.db = db
        self.rng = rng
        self.policy = EvictionPolicy(EvictionOrder.NONE)
        self.measure: Callable[[Keyspace, bytes, int], int | None] = key_bytes
        """Returns about how many bytes a key takes."""
        self.on_evicted: Callable[[bytes], None] | None = None
        """Called with each key that was evicted."""
        self.samples = 5
        self.frequency = Frequency(rng)
        self.candidates = Candidates(self.walk, rng)
        self.debt_bytes = 0
        """The bytes that are to be freed, as far as the latest measurement says."""
        self.excess_percent = 0
        """The use above the limit at that time, in percent of the limit."""
        self.has_failed = False
        """True if no key could be evicted although memory was needed."""
        self.evicted = 0
        """The number of keys that were evicted."""
        self.exceeded_ms = 0
        """The time for which more than `maxmemory` was used, in ms, up to `exceeded_since`."""
        self.exceeded_since: int | None = None
        """Since when more than that is used; None if it is not."""
        self.uses: dict[bytes, int | None] = {}
        """The keys that were written under a policy that counts uses, with their words before."""

    # -- settings --------------------------------------------------------------------------

    def configure(self, options: EvictionOptions) -> None:
        """Take over the parameters."""
        self.samples = options.samples
        self.frequency.log_factor = options.log_factor
        self.frequency.decay_minutes = options.decay_minutes
        chosen = options.policy
        if chosen == self.policy:
            return
        if self.counts_uses:
            self.db.remove_reader(self)
            self.db.count_uses(None)
            self.uses.clear()
        self.policy = chosen
        if self.counts_uses:
            self.db.add_reader(self)
            self.db.count_uses(self.count_use)
        self.candidates.forget()
        self.has_failed = False
        self.debt_bytes = 0

    @property
    def counts_uses(self) -> bool:
        """True under the policies `allkeys-lfu` and `volatile-lfu`."""
        return self.policy.order is EvictionOrder.LEAST_FREQUENT

    # -- uses ------------------------------------------------------------------------------

    def count_use(self, word: int) -> int:
        """Return the word of a key after one more use, now."""
        return self.frequency.used(word, self.db.second)

    def before_change(self, key: bytes) -> None:
        """Note a key that is written, to count the use afterwards: the write stores the second."""
        if key not in self.uses:
            self.uses[key] = read_use(self.db, key)
            self.db.report_change(key)

    def before_flush(self, key: bytes) -> None:
        """Do nothing: the use of `key` goes with it."""

    def record_uses(self) -> None:
        """Count the uses of the keys that were written."""
        written, self.uses = self.uses, {}
        for key, word in written.items():
            fresh = self.frequency.word(COUNTER_NEW, self.db.second)
            store_use(self.db, key, fresh if word is None else self.count_use(word))

    def store_frequency(self, key: bytes, counter: int) -> None:
        """Let a key that has just been written have this counter."""
        self.uses.pop(key, None)
        store_use(self.db, key, self.frequency.word(counter, self.db.second))

    # -- memory ----------------------------------------------------------------------------

    def review(self, live_bytes: int, limit_bytes: int, place: tuple[int, int], now: int) -> None:
        """Compare the memory in use with the limit, 0 for none. `place` is the place of this region
        among its members, from 0, and their number. `now` is in ms."""
        is_exceeded = limit_bytes != 0 and live_bytes > limit_bytes
        if self.exceeded_since is not None and not is_exceeded:
            self.exceeded_ms += now - self.exceeded_since
            self.exceeded_since = None
        elif self.exceeded_since is None and is_exceeded:
            self.exceeded_since = now
        self.debt_bytes = 0
        if not limit_bytes or not self.policy.evicts:
            self.has_failed = False
            return
        begins_at = threshold_bytes(limit_bytes, place)
        if live_bytes <= begins_at:
            self.has_failed = False
        elif not self.db.has_work():  # what was deleted before is freed first
            self.debt_bytes = live_bytes - begins_at
        self.excess_percent = max(live_bytes - limit_bytes, 0) * 100 // limit_bytes

    def can_evict(self) -> bool:
        """Return whether the policy evicts keys, and there were some the latest time."""
        return self.policy.evicts and not self.has_failed

    def reset_counts(self, now: int) -> None:
        """Count from zero again, from `now` on (ms)."""
        self.evicted = self.exceeded_ms = 0
        if self.exceeded_since is not None:
            self.exceeded_since = now

    def exceeded(self, now: int) -> tuple[int, int]:
        """Return for how long more than `maxmemory` has been used in all, and this time, in ms."""
        current = 0 if self.exceeded_since is None else now - self.exceeded_since
        return self.exceeded_ms + current, current

    def is_due(self) -> bool:
        """Return whether keys are to be evicted."""
        return self.debt_bytes > 0

    def run_slice(self) -> int:
        """Evict some keys. Return their number."""
        count = 0
        for _ in range(min(SLICE_KEYS * (1 + 2 * self.excess_percent), SLICE_KEYS_MAX)):
            if self.debt_bytes <= 0:
                break
            key = self.choose()
            if key is None:
                self.debt_bytes = 0
                break
            self.has_failed = False
            self.debt_bytes -= self.measure(self.db, key, ELEMENTS_SAMPLED) or len(key)
            self.db.delete(key)
            if self.on_evicted is not None:
                self.on_evicted(key)
            count += 1
        self.evicted += count
        return count

    # -- choice ----------------------------------------------------------------------------

    def choose(self) -> bytes | None:
        """Return the key to evict next, or None if none was found. Fail if there is none."""
        is_random = self.policy.order is EvictionOrder.RANDOM
        score: Callable[[bytes], int | None] = self.score
        ends = 0
        for _ in range(TRIES_MAX):
            key = self.candidates.choose(1 if is_random else self.samples, score)
            if key is not None:
                return key
            ends += self.candidates.is_at_end()
            if ends > 1:
                self.has_failed = True  # the whole table was visited
                break
        return None

    def walk(self, cursor: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and the keys of a part of the table. The last cursor is 0."""
        return settled_keys_from(self.db, cursor, timed=self.policy.is_volatile)

    def score(self, key: bytes) -> int | None:
        """Return how much the policy wants `key` to be evicted; None if it must not be."""
        word = read_use(self.db, key)
        if word is None:
            return None
        deadline = self.db.deadline(key) if self.policy.is_volatile else None
        if self.policy.is_volatile and deadline is None:
            return None
        order = self.policy.order
        if order is EvictionOrder.LEAST_RECENT:
            return self.db.second - word
        if order is EvictionOrder.LEAST_FREQUENT:
            return COUNTER_MAX - self.frequency.counter(word, self.db.second)
        if order is EvictionOrder.SOONEST:
            return FOREVER - (deadline or 0)
        return int(self.rng.random() * SCORE_MAX)


def threshold_bytes(limit_bytes: int, place: tuple[int, int]) -> int:
    """Return the use of memory above which a region evicts.

    `place` is the place of the region among the members, and their number.

    >>> [threshold_bytes(1000, (place, 4)) for place in range(4)], threshold_bytes(1000, (0, 1))
    ([800, 850, 900, 950], 1000)
    """
    index, count = place
    if count <= 1:
        return limit_bytes
    begin = limit_bytes * BEGIN_PERCENT // 100
    return begin + (limit_bytes - begin) * index // count
