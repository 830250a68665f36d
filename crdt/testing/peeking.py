"""Examine a replica without settling its keys.

A checker that reads a key settles it, and a checker that reads all keys would leave no work that
other steps could meet. Within a `Peek`, the keyspace settles copies of the keys that are touched.
Afterwards the originals wait again.
"""

from __future__ import annotations

from types import TracebackType

from crdt.store.keyspace import Keyspace
from crdt.store.steps import Aside, EffectsStep, FlushStep, MergeStep, Step
from crdt.store.unsettled import Unsettled
from crdt.store.values import ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.deadlines import Deadlines
from crdt.types.registry import TypeRegistry


class Peek:
    """A time in which a keyspace is examined only. Nothing may be written.

    A key that waits is copied when it is touched, so an examination costs what it touches. A peek
    within another one uses the copies of that."""

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.unsettled: Unsettled | None = None
        """The waiting work of the keyspace; None if nothing waits."""
        self.touched: dict[bytes, Original] = {}
        """The keys of which there is a copy, with what the keyspace held under them."""
        self.readers = db.readers
        self.garbage = db.garbage

    def __enter__(self) -> Peek:
        db = self.db
        if db.is_unsettled and not isinstance(db.unsettled, Untouched):
            self.unsettled = db.unsettled
            self.readers, db.readers = db.readers, []
            db.unsettled = Untouched(self, db.unsettled)
        return self

    def settle_copy(self, key: bytes) -> None:
        """Let the keyspace hold a settled copy of a key that waits."""
        db = self.db
        assert self.unsettled is not None
        self.copy_garbage()
        self.touched[key] = Original(db, key)
        copies = Unsettled(db)
        copies.steps = [copied_step(db, step, key) for step in self.unsettled.steps]
        copies.settle(key)

    def copy_garbage(self) -> None:
        """Let the keyspace hold a copy of the keys that may be garbage."""
        if self.db.garbage is self.garbage:
            self.db.garbage = self.garbage.copy()

    def finish_current(self, key: bytes) -> None:
        """Settle the large key that is being settled in slices, as no copy of it can be made."""
        db = self.db
        assert self.unsettled is not None
        shown, db.garbage, db.readers = db.garbage, self.garbage, self.readers
        self.unsettled.finish_current()
        if key in db.garbage:
            shown[key] = None
        db.garbage, db.readers = shown, []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.unsettled is None:
            return
        db = self.db
        for original in self.touched.values():
            original.restore(db)
        if self.touched:
            db.data.index.forget_orders()
        db.garbage = self.garbage
        db.is_unsettled = True
        db.unsettled = self.unsettled
        db.readers = self.readers


class Untouched(Unsettled):
    """The steps of a keyspace that is examined. Nothing is taken out of them."""

    __slots__ = ("peek",)

    def __init__(self, peek: Peek, unsettled: Unsettled) -> None:
        super().__init__(unsettled.db)
        self.peek: Peek = peek
        self.begun = unsettled.begun
        self.steps = unsettled.steps
        self.current = unsettled.current

    def settle(self, key: bytes) -> None:
        self.finish_current(key)
        if key not in self.peek.touched:
            for step in self.steps:
                if step.holds(key):
                    self.peek.settle_copy(key)
                    return

    def finish_current(self, key: bytes | None = None) -> None:
        """Settle the large key that is being settled in slices; only if it is `key`, unless that is
        None."""
        current = self.current
        if current is not None and (key is None or key == current.key):
            self.current = None
            self.peek.finish_current(current.key)

    def settle_some(self, count: int) -> bool:
        self.settle_all()
        return False

    def settle_all(self) -> None:
        self.finish_current()
        for step in self.steps:
            for key in waiting_keys(step):
                self.settle(key)
        self.peek.copy_garbage()
        for step in self.steps:
            if step.aside is not None:
                for key in step.aside.garbage:
                    if key not in self.peek.touched:
                        self.db.garbage[key] = None
        self.db.is_unsettled = False


class Original:
    """The content of a keyspace under a key that waits."""

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
        """Put it back, in its place among the other keys if the copy is still there."""
        key = self.key
        if self.value is None:
            db.data.drop(key)
        else:
            db.data.put(key, self.value)
        if self.tombstone is None:
            db.tombstones.drop(key)
        else:
            db.tombstones.put(key, self.tombstone)
        db.deadlines.put(key, self.siblings)
        if self.is_traced:
            db.traced.put(key, None)
        else:
            db.traced.pop(key)


def waiting_keys(step: Step) -> dict[bytes, None]:
    """Return the keys that wait for a step, in the order in which it is carried out."""
    keys: dict[bytes, None] = {}
    if step.aside is not None:
        for index in (step.aside.data.index, step.aside.tombstones.index):
            keys.update(dict.fromkeys(index))
        keys.update(dict.fromkeys(step.aside.deadlines.table))
    if isinstance(step, MergeStep):
        keys.update(dict.fromkeys((*step.values, *step.deadlines)))
    if isinstance(step, EffectsStep):
        keys.update(dict.fromkeys(step.effects))
    return keys


def keys_that_may_exist(db: Keyspace) -> dict[bytes, None]:
    """Return all keys that a keyspace holds or that wait. Some of those may be gone when they are
    settled, which this does not do."""
    keys = dict.fromkeys(db.data.index)
    if db.unsettled.current is not None:
        keys[db.unsettled.current.key] = None
    for step in db.unsettled.steps:
        keys.update(waiting_keys(step))
    return keys


def copied_step(db: Keyspace, step: Step, key: bytes) -> Step:
    """Return a copy of a step, with what it holds for `key` only."""
    aside = None if step.aside is None else copied_aside(db, step.aside, key)
    if isinstance(step, FlushStep):
        return FlushStep(aside, step.observed)
    if isinstance(step, EffectsStep):
        effects = EffectsStep()
        if key in step.effects:
            effects.effects.put(key, list(step.effects[key]))
        return effects
    assert isinstance(step, MergeStep)
    values, deadlines = Table(), Table()
    if key in step.values:
        values.put(key, copied_value(db.types, step.values[key]))
    if key in step.deadlines:
        deadlines.put(key, step.deadlines[key])
    return MergeStep(aside, values, deadlines, step.vectors)


def copied_aside(db: Keyspace, aside: Aside, key: bytes) -> Aside:
    """Return a copy of what was put aside under `key`."""
    deadlines, garbage = Deadlines(), Table()
    if aside.traced is not None:
        return copied_traces(db, aside, aside.traced, key)
    if key in aside.deadlines.table:
        deadlines.put(key, aside.deadlines.table[key])
    if key in aside.garbage:
        garbage.put(key, None)
    data = copied_store(db, aside.data, key)
    return Aside(data, copied_store(db, aside.tombstones, key), deadlines, garbage)


def copied_traces(db: Keyspace, aside: Aside, traced: Table, key: bytes) -> Aside:
    """Return a copy of what a flush still has to reset under `key`."""
    copy = Table()
    data, tombstones = db.new_store(), copied_store(db, aside.tombstones, key)
    if key in traced:
        copy.put(key, None)
        data = copied_store(db, aside.data, key)
    return Aside(data, tombstones, Deadlines(), Table(), copy)


def copied_store(db: Keyspace, store: ValueStore, key: bytes) -> ValueStore:
    """Return a store with a copy of the value of `key`, if there is one."""
    copy = db.new_store()
    value = store.get(key)
    if value is not None:
        copy.put(key, copied_value(db.types, value))
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
