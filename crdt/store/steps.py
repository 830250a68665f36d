"""The steps of `crdt.store.unsettled`: changes of many keys that are carried out key by key.

A step holds what it needs for each key that it has not been carried out for: the key's content from
before, what another replica holds, or effects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, TypeAlias

from crdt.causality.dots import SEQ_MAX, Dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.store.key_merge import MergedVectors, merge_in_slices, merge_key
from crdt.store.mutable_key_table import MutableKeyTable
from crdt.store.values import ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.deadlines import Deadlines
from crdt.types.components.list_elements import LIST, REMOVE, Span
from crdt.types.components.register import Register

Waiting: TypeAlias = tuple[Effect, Dot, Observed]
"""An effect that waits, its dot, and its past, whose `seq` is set when the effect is applied."""
ITEMS_PER_KEY: Final = 2
"""The items of an effect that take as long as settling one key, about."""
SHORT_ITEMS: Final = 8
"""An effect of so few items is applied in a constant time."""
PART_ITEMS: Final = 1000
"""The elements of one part of a divided effect, which is applied in about a millisecond."""
WEIGHED_MAX: Final = 10_000
"""The effects on one key that are weighed. More are more than a slice in any case."""


class Aside:
    """The keys of a keyspace that were put aside when a step began."""

    __slots__ = ("data", "deadlines", "garbage", "tombstones", "traced")

    def __init__(
        self,
        data: ValueStore,
        tombstones: ValueStore,
        deadlines: Deadlines,
        garbage: Table,
        traced: Table | None = None,
    ) -> None:
        self.data: ValueStore = data
        self.tombstones: ValueStore = tombstones
        self.deadlines: Deadlines = deadlines
        self.garbage: Table = garbage
        self.traced: Table | None = traced
        """The keys of `data` that wait, if the others were removed with all deadlines; None if all
        keys wait."""

    def holds(self, key: bytes) -> bool:
        """Return whether `key` is still here."""
        if self.traced is not None:
            return key in self.traced or key in self.tombstones.index
        if key in self.data.index or key in self.deadlines.table:
            return True
        return key in self.tombstones.index

    def restore(self, db: MutableKeyTable, key: bytes) -> None:
        """Move `key`, if it is here, back into the tables of `db`."""
        if self.traced is not None:
            if self.holds(key):
                self.restore_value(db, key)
                self.traced.pop(key)
            return
        self.restore_value(db, key)
        if self.deadlines.table:
            siblings: tuple[int, ...] | None = self.deadlines.table.get(key)
            if siblings is not None:
                db.deadlines.put(key, siblings)
                self.deadlines.table.pop(key)
        if self.garbage and key in self.garbage:
            db.garbage[key] = self.garbage[key]
            self.garbage.pop(key)

    def restore_value(self, db: MutableKeyTable, key: bytes) -> None:
        """Move the value or the tombstone of `key` back into the tables of `db`."""
        if key in self.data.index:
            self.data.move(key, db.data, db.traced)
        elif self.tombstones.index:
            value = self.tombstones.get(key)
            if value is not None:
                db.tombstones.put(key, value)
                self.tombstones.drop(key)

    def some_keys(self, count: int) -> list[bytes]:
        """Return at most `count` of the keys that are still here, and none only if none are."""
        if self.traced is not None:
            return self.traced.some(count) or self.tombstones.index.some(count)
        for index in (self.data.index, self.tombstones.index, self.deadlines.table):
            if index:
                return index.some(count)
        return []

    def restore_garbage(self, db: MutableKeyTable, count: int) -> bool:
        """Move at most `count` garbage keys that hold nothing else. Return whether more are left.
        The collector finds that there is nothing to collect, unless the key has come back."""
        if self.traced is not None:
            return False
        for key in self.garbage.some(count):
            self.garbage.pop(key)
            db.garbage[key] = None
        return bool(self.garbage)

    def discard(self, db: MutableKeyTable) -> None:
        """Free what is left, in which no key waits."""
        tables = (self.data.index, self.deadlines.table, self.garbage)
        db.discard_tables(tables, self.deadlines.heaps)


class Step:
    """A change of many keys that has not been carried out for all of them."""

    __slots__ = ("aside",)

    def __init__(self, aside: Aside | None) -> None:
        self.aside: Aside | None = aside
        """The keys that the step found; None if there were none."""

    def holds(self, key: bytes) -> bool:
        """Return whether the step has not been carried out for `key`."""
        return self.aside is not None and self.aside.holds(key)

    def take(self, db: MutableKeyTable, key: bytes) -> Any:
        """Move `key` back into `db`, and return the content of the step for `key`."""
        if self.aside is not None:
            self.aside.restore(db, key)
        return None

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        """Change `key` in `db` by what `take` returned."""
        raise NotImplementedError

    def estimate_size(self) -> int:
        """Return about how many keys will be left of those that wait in the step alone."""
        return 0

    def weight(self, key: bytes) -> int:
        """Return how many keys' worth of work the step is for `key`."""
        return 1

    def carry_out_in_slices(
        self, db: MutableKeyTable, key: bytes, content: Any, size: int
    ) -> Iterator[None]:
        """Carry out the step like `carry_out`, but yield after each slice, of about `size` keys'
        worth. Nothing else may touch the key until the iterator has ended."""
        self.carry_out(db, key, content)
        yield

    def some_keys(self, count: int) -> list[bytes]:
        """Return at most `count` keys that the step holds, and none only if it holds none."""
        return [] if self.aside is None else self.aside.some_keys(count)


class MergeStep(Step):
    """The merge of another replica's keys."""

    __slots__ = ("deadlines", "values", "vectors")

    def __init__(
        self,
        aside: Aside | None,
        values: Table,
        deadlines: Table,
        vectors: MergedVectors,
    ) -> None:
        super().__init__(aside)
        self.values: Table = values
        self.deadlines: Table = deadlines
        self.vectors: MergedVectors = vectors

    def holds(self, key: bytes) -> bool:
        if key in self.values or key in self.deadlines:
            return True
        return self.aside is not None and self.aside.holds(key)

    def take(self, db: MutableKeyTable, key: bytes) -> Any:
        if self.aside is not None:
            self.aside.restore(db, key)
        deadlines: tuple[int, ...] | None = self.deadlines.get(key)
        content = self.values.get(key), () if deadlines is None else deadlines
        forget(self.values, key)
        forget(self.deadlines, key)
        return content

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        given: Value | None = content[0]
        deadlines: tuple[int, ...] = content[1]
        flagged = flagged_part(given)
        try:
            merge_key(db, key, given, deadlines, self.vectors)
        except MemoryError:
            restore_flag(flagged)
            raise

    def carry_out_in_slices(
        self, db: MutableKeyTable, key: bytes, content: Any, size: int
    ) -> Iterator[None]:
        flagged = flagged_part(content[0])
        try:
            yield from merge_in_slices(db, key, content[0], content[1], self.vectors)
        except MemoryError:
            restore_flag(flagged)
            raise

    def weight(self, key: bytes) -> int:
        if not self.vectors.mine:
            return 1
        given: Value | None = self.values.get(key)
        items = 0 if given is None else given.count_items()
        if self.aside is not None:
            held = self.aside.data.entry(key)
            if isinstance(held, Value):
                items += held.count_items()
        return max(1, items // ITEMS_PER_KEY)

    def estimate_size(self) -> int:
        return max(len(self.values), 0 if self.aside is None else len(self.aside.data.index))

    def some_keys(self, count: int) -> list[bytes]:
        keys = [] if self.aside is None else self.aside.some_keys(count)
        if keys:
            return keys
        if self.values:
            return self.values.some(count)
        return self.deadlines.some(count)


class FlushStep(Step):
    """The removal of everything that an effect had observed."""

    __slots__ = ("observed",)

    def __init__(self, aside: Aside | None, observed: Observed) -> None:
        super().__init__(aside)
        self.observed: Observed = observed

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        for reader in db.readers:
            reader.before_flush(key)
        db.remove(key, (), self.observed)


class EffectsStep(Step):
    """The effects of operations that have many of them."""

    __slots__ = ("effects",)

    def __init__(self) -> None:
        super().__init__(None)
        self.effects: Table = Table()
        """For each key a list of effects, each with its dot and its past."""

    def add(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Add an effect, which comes after all others."""
        key: bytes = effect[2]
        parts: list[Waiting] = [(part, dot, observed) for part in in_parts(effect)]
        waiting: list[Waiting] | None = self.effects.get(key)
        if waiting is None:
            self.effects.put(key, parts)
        else:
            waiting += parts

    def holds(self, key: bytes) -> bool:
        return key in self.effects

    def take(self, db: MutableKeyTable, key: bytes) -> Any:
        content = self.effects.get(key)
        forget(self.effects, key)
        return content

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        waiting: list[Waiting] | None = content
        if waiting is not None:
            apply_all(db, waiting)

    def weight(self, key: bytes) -> int:
        waiting: list[Waiting] | None = self.effects.get(key)
        if waiting is None:
            return 0
        if len(waiting) == 1:
            return effect_weight(waiting[0][0])
        return sum([effect_weight(each[0]) for each in waiting[:WEIGHED_MAX]])

    def carry_out_in_slices(
        self, db: MutableKeyTable, key: bytes, content: Any, size: int
    ) -> Iterator[None]:
        waiting: list[Waiting] = [] if content is None else content
        waiting.reverse()
        left = size
        try:
            while waiting:
                if left <= 0:
                    left = size
                    yield
                each = waiting[-1]
                apply_all(db, [each])
                left -= effect_weight(each[0])
                waiting.pop()  # what was applied is freed, and the rest stays in the list
        except MemoryError:
            waiting.reverse()  # as it was, to be carried out again
            raise

    def some_keys(self, count: int) -> list[bytes]:
        return self.effects.some(count)


def forget(table: Table, key: bytes) -> None:
    """Remove a key from a table. Its memory may only be given back later, if there is too little
    now."""
    with suppress(MemoryError):
        table.pop(key)


def flagged_part(given: Value | None) -> Register | None:
    """Return the string in `given` that encodes a deadline (`no_expiry`); None without one."""
    parts = list(given.parts.values()) if isinstance(given, Contested) else [given]
    for part in parts:
        if isinstance(part, Register) and part.no_expiry:
            return part
    return None


def restore_flag(flagged: Register | None) -> None:
    """Let a string encode its deadline again, so that its merge can be repeated."""
    if flagged is not None:
        flagged.no_expiry = True


def effect_weight(effect: Effect) -> int:
    """Return how many keys' worth of work it is to apply an effect."""
    return max(1, count_items(effect) // ITEMS_PER_KEY)


def count_items(effect: Effect) -> int:
    """Return the number of elements in an effect of many, about; 0 if it has few."""
    if effect[0] == LIST and effect[1] == REMOVE:
        return sum([count_of(span) for span in effect[3:]])
    return max(0, len(effect) - SHORT_ITEMS)


def count_of(span: Span) -> int:
    """Return the number of elements that a span names."""
    return span[4] if len(span) > 4 else 1


def in_parts(effect: Effect) -> list[Effect]:
    """Return effects of bounded size that together do what `effect` does, under the same dot.

    Only removals from lists are divided. Effects of other kinds are made in parts.
    """
    if effect[0] != LIST or effect[1] != REMOVE:
        return [effect]
    parts: list[Effect] = []
    spans: list[Span] = []
    count = 0
    for span in effect[3:]:
        if spans and count + count_of(span) > PART_ITEMS:
            parts.append((*effect[:3], *spans))
            spans, count = [], 0
        spans.append(span)
        count += count_of(span)
    parts.append((*effect[:3], *spans))
    return parts


def apply_all(db: MutableKeyTable, waiting: list[Waiting]) -> None:
    """Apply these effects in order."""
    for effect, dot, observed in waiting:
        observed.seq = dot & SEQ_MAX
        db.apply(effect, dot, observed)
