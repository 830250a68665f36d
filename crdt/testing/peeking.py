"""Examine a replica without settling its keys.

A checker that reads a key settles it, and a checker that reads all keys would leave no work that
other steps could meet. Within a `Peek`, the keyspace has copies of all that waits. Afterwards the
originals wait again.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from crdt.store.keyspace import Keyspace
from crdt.store.unsettled import Aside, FlushStep, MergeStep, Step
from crdt.store.values import ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.deadlines import Deadlines
from crdt.types.registry import TypeRegistry


class Peek:
    """A time in which a keyspace is examined only. Nothing may be written."""

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.steps: list[Step] | None = None
        """The steps that wait; None if there are none."""
        self.readers = db.readers
        self.garbage = db.garbage

    def __enter__(self) -> Peek:
        db = self.db
        if db.is_unsettled:
            self.steps = db.unsettled.steps
            self.readers, db.readers = db.readers, []
            self.garbage, db.garbage = db.garbage, db.garbage.copy()
            db.unsettled.steps = [copied_step(db, step) for step in self.steps]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.steps is None:
            return
        db = self.db
        for key in waiting_keys(self.steps):
            db.data.drop(key)
            db.tombstones.drop(key)
            db.traced.pop(key)
            db.deadlines.put(key, ())
        db.garbage = self.garbage
        db.data.index.forget_orders()
        db.unsettled.steps = self.steps
        db.is_unsettled = True
        db.readers = self.readers


def waiting_keys(steps: Iterable[Step]) -> dict[bytes, None]:
    """Return the keys that some of these steps hold."""
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
