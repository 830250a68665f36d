"""A key table in which keys and parts of values expire.

Keys that expire are hidden by the clock, and can be recorded for those who must hear of it. Parts
of values, such as the fields of hashes, are hidden in steps. They come back if the clock is set
back.
"""

from __future__ import annotations

from typing import Final

from crdt.causality.effect import Effect
from crdt.store.mutable_key_table import HIDDEN_STEP, MutableKeyTable
from crdt.types.base import Value
from crdt.types.components.expiry_record import ExpiryRecord

HIDDEN_MAX: Final = 1 << 30  # more parts than a value has


class ExpiringKeyTable(MutableKeyTable):
    """A key table in which keys and parts of values expire."""

    __slots__ = ()

    # -- keys ------------------------------------------------------------------------------

    def record_expiry(self, is_on: bool) -> None:
        """Record the keys that expire from now on, or stop that."""
        deadlines = self.deadlines
        if not is_on:
            deadlines.record = None
        elif deadlines.record is None:
            known = [entry for heap in deadlines.heaps for entry in heap]
            deadlines.record = ExpiryRecord(self.expiry_time, self.held_deadline, known)

    def records_expiry(self) -> bool:
        """Return whether the keys that expire are recorded."""
        return self.deadlines.record is not None

    def take_expired(self, limit: int) -> list[bytes]:
        """Return at most `limit` keys that have expired, each once, in order."""
        record = self.deadlines.record
        return [] if record is None else record.take(limit)

    def held_deadline(self, key: bytes) -> int:
        """Return the deadline of a key that is settled; FOREVER without one."""
        return self.deadlines.deadline(key)

    def expiry_time(self) -> int:
        """Return the time (ms) that decides whether a key has expired."""
        return self.expiry_clock

    # -- parts of values -------------------------------------------------------------------

    def hide_expired_parts(self, limit: int) -> None:
        """Hide about `limit` of the parts of values that have expired. The next call continues."""
        parts, clock = self.part_deadlines, self.expiry_clock
        while limit > 0:
            key = parts.due(clock)
            if key is None:
                return
            limit -= self.hide_parts(key, limit)

    def hide_parts(self, key: bytes, limit: int) -> int:
        """Hide up to `limit` parts of one value that have expired. Return how many keys and parts
        were visited."""
        if self.is_unsettled:
            self.settle(key)
        value = self.data.get(key)
        if value is None:
            value = self.tombstones.get(key)
        if value is None:
            return 1
        if self.readers:
            self.warn_readers(key)
        count = value.hide_expired(self.expiry_clock, limit)
        self.note_hidden(key, value)
        self.retire(key, value)
        return 1 + count

    def move_expiry(self, clock: int) -> None:
        """Let keys and parts of values expire by another clock. O(parts that change)."""
        self.expiry_clock = clock
        if clock < self.part_deadlines.clock:
            self.show_parts()
        self.hide_expired_parts(HIDDEN_MAX)

    def keep_parts(self, keeps: bool) -> None:
        """Let `move_parts` do nothing, while a command works in slices, or let it work again."""
        self.keeps_parts = keeps

    def move_parts(self) -> None:
        """Hide some of the parts of values that have expired by the clock, or show those that have
        not if it was set back."""
        parts, clock = self.part_deadlines, self.expiry_clock
        if self.keeps_parts:
            return
        if parts.clock > clock:
            self.show_parts()
        if parts.next < clock:
            self.hide_expired_parts(2 * HIDDEN_STEP)

    def show_parts(self) -> None:
        """Hide by the present clock, after it was set back, what was hidden by a later one."""
        self.part_deadlines.clock = self.expiry_clock
        for key in self.part_deadlines.show_all():
            self.hide_parts(key, HIDDEN_MAX)

    def removals_of_parts(self, clock: int, limit: int) -> list[Effect]:
        """Return effects that remove about `limit` parts of values that expired before `clock`."""
        parts = self.part_deadlines
        effects: list[Effect] = []
        visited: list[tuple[bytes, Value]] = []
        while limit > 0:
            key = parts.over(clock)
            if key is None:
                break
            if self.is_unsettled:
                self.settle(key)
            value = self.data.get(key)
            if value is None:
                value = self.tombstones.get(key)
            if value is not None:
                found = value.removals(key, clock, limit)
                effects += found
                limit -= sum([len(effect) for effect in found])
                visited.append((key, value))
            limit -= 1
        for key, value in visited:
            self.note_hidden(key, value)
        return effects
