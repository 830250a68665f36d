"""Changes of many keys that take effect immediately and are carried out key by key.

Merging a snapshot, for example, concerns every key. The keyspace joins the vector, puts its present
keys aside together with the other side's keys, and continues with empty tables. This is a *step*.
A key is *settled* when its steps have been carried out. That happens when anything touches the key,
or in slices, so that no reader sees a difference.

Further steps may follow before an earlier one is finished. A key is settled through all of its
steps, the oldest first. A key that a step still holds has not been settled through this step, nor
through any later one.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from crdt.causality.dots import SEQ_MAX, Dot, Origin, make_dot
from crdt.causality.effect import FLUSH, Effect, is_key_effect
from crdt.causality.observed import Observed
from crdt.causality.op import Op
from crdt.store.bin import SLICE_ELEMENTS
from crdt.store.key_merge import MergedVectors, merge_key
from crdt.store.mutable_key_table import MutableKeyTable
from crdt.store.values import ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.deadlines import Deadlines

Waiting: TypeAlias = tuple[Effect, Dot, Observed]
"""An effect that waits, its dot, and its past, whose `seq` is set when the effect is applied."""
SETTLE_ALL_KEYS: Final = 10_000
ITEMS_PER_KEY: Final = 8
"""The items of an effect that take as long as settling one key, about."""
WEIGHED_MAX: Final = 10_000
"""The effects on one key that are weighed. More are more than a slice in any case."""
STEPS_MAX: Final = 16
"""Steps that may wait. Each of them makes it slower to touch a key."""


class Aside:
    """The keys of a keyspace that were put aside when a step began."""

    __slots__ = ("data", "deadlines", "garbage", "tombstones")

    def __init__(
        self,
        data: ValueStore,
        tombstones: ValueStore,
        deadlines: Deadlines,
        garbage: Table,
    ) -> None:
        self.data: ValueStore = data
        self.tombstones: ValueStore = tombstones
        self.deadlines: Deadlines = deadlines
        self.garbage: Table = garbage

    def holds(self, key: bytes) -> bool:
        """Return whether `key` is still here."""
        if key in self.data.index or key in self.deadlines.table:
            return True
        return key in self.tombstones.index

    def restore(self, db: MutableKeyTable, key: bytes) -> None:
        """Move `key`, if it is here, back into the tables of `db`."""
        if key in self.data.index:
            if self.data.move(key, db.data):
                db.traced[key] = None
        elif self.tombstones.index:
            value = self.tombstones.get(key)
            if value is not None:
                self.tombstones.drop(key)
                db.tombstones.put(key, value)
        if self.deadlines.table:
            siblings: tuple[int, ...] | None = self.deadlines.table.pop(key)
            if siblings is not None:
                db.deadlines.put(key, siblings)
        if self.garbage and key in self.garbage:
            db.garbage[key] = self.garbage.pop(key)

    def some_keys(self, count: int) -> list[bytes]:
        """Return at most `count` of the keys that are still here, and none only if none are."""
        for index in (self.data.index, self.tombstones.index, self.deadlines.table):
            if index:
                return index.some(count)
        return []

    def restore_garbage(self, db: MutableKeyTable, count: int) -> bool:
        """Move at most `count` garbage keys that hold nothing else. Return whether more are left.
        The collector finds that there is nothing to collect, unless the key has come back."""
        for key in self.garbage.some(count):
            self.garbage.pop(key)
            db.garbage[key] = None
        return bool(self.garbage)


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
        """Return how many slices' worth of keys it takes to carry out the step for `key`."""
        return 1

    def carry_out_part(self, db: MutableKeyTable, key: bytes, count: int) -> None:
        """Carry out the first `count` parts of the step for `key`, which has more. This must be the
        only step."""
        raise NotImplementedError

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
        deadlines: tuple[int, ...] | None = self.deadlines.pop(key) if self.deadlines else None
        return self.values.pop(key), () if deadlines is None else deadlines

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        given: Value | None = content[0]
        deadlines: tuple[int, ...] = content[1]
        merge_key(db, key, given, deadlines, self.vectors)

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
        if db.readers:
            db.warn_readers(key)
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
        waiting: list[Waiting] | None = self.effects.get(key)
        if waiting is None:
            self.effects.put(key, [(effect, dot, observed)])
        else:
            waiting.append((effect, dot, observed))

    def holds(self, key: bytes) -> bool:
        return key in self.effects

    def take(self, db: MutableKeyTable, key: bytes) -> Any:
        return self.effects.pop(key)

    def carry_out(self, db: MutableKeyTable, key: bytes, content: Any) -> None:
        waiting: list[Waiting] | None = content
        if waiting is not None:
            apply_all(db, waiting)

    def weight(self, key: bytes) -> int:
        waiting: list[Waiting] = self.effects[key]
        if len(waiting) == 1:
            return effect_weight(waiting[0][0])
        return sum([effect_weight(each[0]) for each in waiting[:WEIGHED_MAX]])

    def carry_out_part(self, db: MutableKeyTable, key: bytes, count: int) -> None:
        waiting: list[Waiting] = self.effects[key]
        number = 0
        for each in waiting:
            number += 1
            count -= effect_weight(each[0])
            if count <= 0:
                break
        db.is_unsettled = False  # the rest of this step waits
        apply_all(db, waiting[:number])
        db.is_unsettled = True
        if number < len(waiting):
            del waiting[:number]
        else:
            self.effects.pop(key)

    def some_keys(self, count: int) -> list[bytes]:
        return self.effects.some(count)


def effect_weight(effect: Effect) -> int:
    """Return how many slices' worth of keys it takes to apply an effect."""
    return 1 + len(effect) // ITEMS_PER_KEY


class StagedEffects:
    """The effects of one operation by key, while the operation is being received. A flush is
    between two steps."""

    __slots__ = ("count", "dot", "observed", "parts")

    def __init__(self, origin: Origin, first: int, base: int) -> None:
        self.count: int = 0
        """The number of effects that were added."""
        self.dot: Dot = make_dot(origin, first)
        """The dot of the next effect."""
        self.observed: Observed = Observed({}, origin, first, base)
        """The past of the effects. Its vector is filled in when the operation is applied."""
        self.parts: list[EffectsStep | Waiting] = []

    def add(self, effects: list[Effect]) -> None:
        """Add the next effects."""
        self.count += len(effects)
        for effect in effects:
            if is_key_effect(effect, FLUSH):
                self.parts.append((effect, self.dot, self.observed))
            else:
                latest = self.parts[-1] if self.parts else None
                if not isinstance(latest, EffectsStep):
                    latest = EffectsStep()
                    self.parts.append(latest)
                latest.add(effect, self.dot, self.observed)
            self.dot += 1


class DroppedEffects:
    """The effects of an operation that was received in parts and is not applied."""

    __slots__ = ("effects", "parts")

    def __init__(self, effects: list[Effect], staged: StagedEffects | None) -> None:
        self.effects: list[Effect] = effects
        self.parts: list[EffectsStep | Waiting] = [] if staged is None else staged.parts

    def free_slice(self) -> bool:
        """Free some of the effects. Return whether there is more."""
        if self.parts:
            latest = self.parts[-1]
            if isinstance(latest, EffectsStep) and latest.effects:
                latest.effects.pop_part()
            else:
                self.parts.pop()
        else:
            del self.effects[-SLICE_ELEMENTS:]
        return len(self.parts) > 0 or len(self.effects) > 0


def apply_all(db: MutableKeyTable, waiting: list[Waiting]) -> None:
    """Apply these effects in order."""
    for effect, dot, observed in waiting:
        observed.seq = dot & SEQ_MAX
        db.apply(effect, dot, observed)


class Unsettled:
    """The steps of one keyspace that have not been finished, the oldest first."""

    __slots__ = ("begun", "db", "steps")

    def __init__(self, db: MutableKeyTable) -> None:
        self.db: MutableKeyTable = db
        self.begun: int = 0
        """The number of steps so far."""
        self.steps: list[Step] = []

    def put_aside(self) -> Aside | None:
        """Put all present keys aside; None if there are none. O(1)."""
        db = self.db
        if not db.data.index and not db.tombstones.index and not db.deadlines.table:
            return None
        aside = Aside(db.data, db.tombstones, db.deadlines, db.garbage)
        db.begin_empty()
        return aside

    def effects_step(self) -> EffectsStep:
        """Return the latest step if it holds effects, otherwise a new one."""
        latest = self.steps[-1] if self.steps else None
        if isinstance(latest, EffectsStep):
            return latest
        step = EffectsStep()
        self.steps.append(step)
        self.db.is_unsettled = True
        return step

    def put_off(self, op: Op, observed: Observed) -> None:
        """Let the effects of `op` wait until their keys are settled. O(effects), unless they were
        sorted while the operation was received."""
        self.begun += 1
        if op.staged is not None:
            self.begin_staged(op.staged, observed)
            return
        dot = make_dot(op.origin, op.first)
        for effect in op.effects:
            if is_key_effect(effect, FLUSH):
                observed.seq = dot & SEQ_MAX
                self.db.apply(effect, dot, observed)
            else:
                self.effects_step().add(effect, dot, observed)
            dot += 1

    def begin_staged(self, staged: StagedEffects, observed: Observed) -> None:
        """Let the effects of a received operation wait. O(flushes)."""
        staged.observed.vector.update(observed.vector)
        for part in staged.parts:
            if isinstance(part, EffectsStep):
                self.steps.append(part)
                self.db.is_unsettled = True
            else:
                apply_all(self.db, [part])

    def begin(self, step: Step) -> None:
        """Add a step, whose keys have been put aside."""
        self.steps.append(step)
        self.begun += 1
        self.db.is_unsettled = True

    def settle(self, key: bytes) -> None:
        """Carry out all steps for `key`."""
        first = 0
        for step in self.steps:
            if step.holds(key):
                break
            first += 1
        else:
            return
        db = self.db
        steps = self.steps[first:]
        contents = [step.take(db, key) for step in steps]
        # `key` counts as settled from here on: what follows may look it up
        for index, step in enumerate(steps):
            step.carry_out(db, key, contents[index])

    def settle_all(self) -> None:
        """Settle all keys."""
        while self.settle_some(SETTLE_ALL_KEYS):
            pass

    def settle_some(self, count: int) -> bool:
        """Settle about `count` keys. Return whether more are left."""
        left = count
        while self.steps and left > 0:
            oldest = self.steps[0]
            keys = oldest.some_keys(left)
            is_alone = self.can_settle_oldest_alone()
            for key in keys:
                weight = oldest.weight(key)
                if left <= 0:
                    break
                if not is_alone:
                    self.settle(key)
                elif weight > left:
                    oldest.carry_out_part(self.db, key, left)
                    left = 0
                    break
                else:
                    self.carry_out_oldest(key)
                left -= weight
            if not keys:
                aside = oldest.aside
                if aside is not None and aside.garbage:
                    left -= min(left, len(aside.garbage))
                    if aside.restore_garbage(self.db, count):
                        continue
                self.steps.pop(0)
        self.db.is_unsettled = bool(self.steps)
        return self.db.is_unsettled

    def can_settle_oldest_alone(self) -> bool:
        """Return whether the oldest step can be carried out for a key without the later ones. Those
        must hold effects only, since other steps have put the keys aside."""
        for index in range(1, len(self.steps)):
            if not isinstance(self.steps[index], EffectsStep):
                return False
        return True

    def carry_out_oldest(self, key: bytes) -> None:
        """Carry out the oldest step for `key`. Later steps wait."""
        db, oldest = self.db, self.steps[0]
        content = oldest.take(db, key)
        db.is_unsettled = False
        oldest.carry_out(db, key, content)
        db.is_unsettled = True

    def estimate_size(self) -> int:
        """Return about how many keys will be left of those that wait."""
        return sum([step.estimate_size() for step in self.steps])

    def clear(self) -> None:
        """Forget all steps with their keys."""
        self.steps.clear()
        self.db.is_unsettled = False
