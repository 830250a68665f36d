"""Examine a replica without settling its keys.

A checker that reads a key settles it, and a checker that reads all keys would leave no work that
other steps could meet. Within a `Peek`, the keyspace has copies of all that waits. Afterwards the
originals wait again.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from crdt.store.keyspace import Keyspace
from crdt.store.unsettled import Aside, EffectsStep, FlushStep, MergeStep, Step, Unsettled
from crdt.store.values import ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.deadlines import Deadlines
from crdt.types.registry import TypeRegistry


class Peek:
    """A time in which a keyspace is examined only. Nothing may be written.

    Most examinations touch no key that waits. So copies are made when the first of these keys is
    touched."""

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.unsettled: Unsettled | None = None
        """The waiting work of the keyspace; None if nothing waits."""
        self.is_copied: bool = False
        self.readers = db.readers
        self.garbage = db.garbage
        self.replaced: list[Original] = []

    def __enter__(self) -> Peek:
        db = self.db
        if db.is_unsettled:
            self.unsettled = db.unsettled
            self.readers, db.readers = db.readers, []
            db.unsettled = Untouched(self, db.unsettled)
        return self

    def make_copies(self) -> None:
        """Let the keyspace hold copies of all that waits from now on."""
        db = self.db
        assert self.unsettled is not None
        self.is_copied = True
        self.garbage, db.garbage = db.garbage, db.garbage.copy()
        copies = Unsettled(db)
        copies.begun = self.unsettled.begun
        copies.steps = [copied_step(db, step) for step in self.unsettled.steps]
        db.unsettled = copies
        self.replaced = replace_by_copies(db, self.unsettled.steps)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.unsettled is None:
            return
        db = self.db
        if self.is_copied:
            for key in waiting_keys(self.unsettled.steps):
                remove_key(db, key)
            for original in self.replaced:
                original.restore(db)
            db.garbage = self.garbage
            db.data.index.forget_orders()
            db.is_unsettled = True
        db.unsettled = self.unsettled
        db.readers = self.readers


class Untouched(Unsettled):
    """The steps of a keyspace that is examined, as long as no key is touched that waits."""

    __slots__ = ("peek",)

    def __init__(self, peek: Peek, unsettled: Unsettled) -> None:
        super().__init__(unsettled.db)
        self.peek: Peek = peek
        self.begun = unsettled.begun
        self.steps = unsettled.steps

    def settle(self, key: bytes) -> None:
        for step in self.steps:
            if step.holds(key):
                self.peek.make_copies()
                self.peek.db.unsettled.settle(key)
                return

    def settle_some(self, count: int) -> bool:
        self.peek.make_copies()
        return self.peek.db.unsettled.settle_some(count)

    def settle_all(self) -> None:
        self.peek.make_copies()
        self.peek.db.unsettled.settle_all()


class Original:
    """The content of a keyspace under a key for which effects wait."""

    def __init__(self, db: Keyspace, key: bytes) -> None:
        """Take it, and leave a copy."""
        self.key = key
        self.value = db.data.get(key)
        self.tombstone = db.tombstones.get(key)
        self.siblings = db.deadlines.siblings(key)
        self.is_traced = key in db.traced
        if self.value is not None:
            db.data.put(key, copied_value(db.types, self.value))
        if self.tombstone is not None:
            db.tombstones.put(key, copied_value(db.types, self.tombstone))

    def restore(self, db: Keyspace) -> None:
        """Put it back."""
        remove_key(db, self.key)
        if self.value is not None:
            db.data.put(self.key, self.value)
        if self.tombstone is not None:
            db.tombstones.put(self.key, self.tombstone)
        db.deadlines.put(self.key, self.siblings)
        if self.is_traced:
            db.traced.put(self.key, None)


def replace_by_copies(db: Keyspace, steps: Iterable[Step]) -> list[Original]:
    """Replace what `db` holds under the keys for which effects wait by copies. Return the
    originals."""
    waiting = waiting_keys(steps)
    keys: dict[bytes, None] = {}
    for step in steps:
        if isinstance(step, EffectsStep):
            keys.update(dict.fromkeys([key for key in step.effects if key not in waiting]))
    return [Original(db, key) for key in keys]


def remove_key(db: Keyspace, key: bytes) -> None:
    """Remove all that the tables of `db` hold under a key."""
    db.data.drop(key)
    db.tombstones.drop(key)
    db.traced.pop(key)
    db.deadlines.put(key, ())


def waiting_keys(steps: Iterable[Step]) -> dict[bytes, None]:
    """Return the keys that some of these steps hold, and `db` does not."""
    keys: dict[bytes, None] = {}
    for step in steps:
        if step.aside is not None:
            for index in (step.aside.data.index, step.aside.tombstones.index):
                keys.update(dict.fromkeys(index))
            keys.update(dict.fromkeys(step.aside.deadlines.table))
        if isinstance(step, MergeStep):
            keys.update(dict.fromkeys((*step.values, *step.deadlines)))
    return keys


def copied_step(db: Keyspace, step: Step) -> Step:
    """Return a copy of a step."""
    aside = None if step.aside is None else copied_aside(db, step.aside)
    if isinstance(step, FlushStep):
        return FlushStep(aside, step.observed)
    if isinstance(step, EffectsStep):
        effects = EffectsStep()
        for key, waiting in step.effects.items():
            effects.effects.put(key, list(waiting))
        return effects
    assert isinstance(step, MergeStep)
    values = Table()
    for key, value in step.values.items():
        values.put(key, copied_value(db.types, value))
    return MergeStep(aside, values, step.deadlines.copy(), step.vectors)


def copied_aside(db: Keyspace, aside: Aside) -> Aside:
    """Return a copy of the keys that were put aside."""
    deadlines = Deadlines()
    for key, siblings in aside.deadlines.table.items():
        deadlines.put(key, siblings)
    data, tombstones = copied_store(db, aside.data), copied_store(db, aside.tombstones)
    return Aside(data, tombstones, deadlines, aside.garbage.copy())


def copied_store(db: Keyspace, store: ValueStore) -> ValueStore:
    """Return a copy of a store."""
    copy = db.new_store()
    for key in store:
        copy.put(key, copied_value(db.types, store[key]))
    return copy


def copied_value(types: TypeRegistry, value: Value) -> Value:
    """Return a copy of a value, as of the same time of use."""
    copy: Value
    if isinstance(value, Contested):
        copy = contested = Contested()
        for code, part in value.parts.items():
            contested.parts[code] = copied_value(types, part)
    else:
        copy = types.makers[value.code()]()
        copy.load(value.state())
    if hasattr(value, "accessed"):
        copy.accessed = value.accessed
    return copy
