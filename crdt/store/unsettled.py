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

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import SEQ_MAX, Dot, Origin, make_dot, origin_of
from crdt.causality.effect import FLUSH, MESSAGE, Effect, is_key_effect
from crdt.causality.observed import Observed
from crdt.causality.op import Op
from crdt.store.bin import SLICE_ELEMENTS, DroppedKeys
from crdt.store.mutable_key_table import MutableKeyTable
from crdt.store.steps import Aside, EffectsStep, Step, Waiting, count_items
from crdt.types.folded_string import dot_of

SETTLE_ALL_KEYS: Final = 10_000
SHORT_BYTES: Final = 4096
"""An operation of so few bytes has few items."""
ITEMS_MAX: Final = 4000
"""The items in the effects of an operation that is applied immediately if it has few effects."""
SAMPLED: Final = 8
"""One of so many effects is looked at to estimate how many are conflicts."""
STEPS_MAX: Final = 16
"""Steps that may wait. Each of them makes it slower to touch a key."""


class SettledKey:
    """A key that is being settled. It is taken out of all steps, whose contents are nowhere else.

    After a MemoryError, `finish` and `advance` go on with the content that they could not carry
    out, from its beginning. That is allowed, since effects and merges are idempotent.
    """

    __slots__ = ("contents", "done", "earlier", "key", "slices", "steps")

    def __init__(self, key: bytes, steps: list[Step]) -> None:
        self.key: bytes = key
        self.steps: list[Step] = steps
        self.contents: list[Any] = []
        """The contents that were taken out of the steps so far, in order."""
        self.done: int = 0
        """The number of steps that have been carried out."""
        self.slices: Iterator[None] | None = None
        """The rest of the step that is being carried out in slices."""
        self.earlier: SettledKey | None = None
        """The next one in the list of those that failed."""

    def take(self, db: MutableKeyTable) -> None:
        """Take the key out of all steps."""
        while len(self.contents) < len(self.steps):
            self.contents.append(None)  # this may fail, but not after the content was taken
            try:
                self.contents[-1] = self.steps[len(self.contents) - 1].take(db, self.key)
            except MemoryError:
                self.contents.pop()
                raise

    def finish(self, db: MutableKeyTable) -> None:
        """Carry out all steps for the key."""
        self.take(db)
        while self.done < len(self.steps):
            self.steps[self.done].carry_out(db, self.key, self.contents[self.done])
            self.done += 1

    def advance(self, db: MutableKeyTable, size: int) -> bool:
        """Do the next slice. Return whether there may be more."""
        if self.done == len(self.steps):
            return False
        if self.slices is None:
            step = self.steps[self.done]
            self.slices = step.carry_out_in_slices(db, self.key, self.contents[self.done], size)
        try:
            for _ in self.slices:
                return True
        except MemoryError:
            self.slices = None
            raise
        self.slices = None
        self.done += 1
        return self.done < len(self.steps)


class StagedEffects:
    """The effects of one operation by key, while the operation is being received. A flush is
    between two steps."""

    __slots__ = ("count", "dot", "messages", "observed", "parts")

    def __init__(self, origin: Origin, first: int, base: int) -> None:
        self.count: int = 0
        """The number of effects that were added."""
        self.dot: Dot = make_dot(origin, first)
        """The dot of the next effect."""
        self.observed: Observed = Observed({}, origin, first, base)
        """The past of the effects. Its vector is filled in when the operation is applied."""
        self.parts: list[EffectsStep | Waiting] = []
        self.messages: list[Effect] = []

    def add(self, effects: list[Effect]) -> None:
        """Add the next effects."""
        self.count += len(effects)
        for effect in effects:
            if is_key_effect(effect, FLUSH):
                self.parts.append((effect, self.dot, self.observed))
            elif is_key_effect(effect, MESSAGE):
                self.messages.append(effect)
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


class Unsettled:
    """The steps of one keyspace that have not been finished, the oldest first."""

    __slots__ = ("begun", "current", "current_size", "db", "failed", "steps")

    def __init__(self, db: MutableKeyTable) -> None:
        self.db: MutableKeyTable = db
        self.current: SettledKey | None = None
        """The large key that is being settled in slices, if there is one."""
        self.current_size: int = 0
        """The size of its slices, in keys."""
        self.failed: SettledKey | None = None
        """The first in the list of the keys for which there was not enough memory."""
        self.begun: int = 0
        """The number of steps so far."""
        self.steps: list[Step] = []

    def put_aside(self, *, keeps_all: bool = True) -> Aside | None:
        """Put all present keys aside; None if there are none. Unless `keeps_all`, those that leave
        nothing are removed, with all deadlines. O(1), unless a large key is being settled."""
        db = self.db
        self.finish_current()
        if self.failed is not None:
            self.retry()
        if not db.data.index and not db.tombstones.index and not db.deadlines.table:
            return None
        traced = db.traced
        aside = Aside(
            db.data, db.tombstones, db.deadlines, db.garbage, None if keeps_all else traced
        )
        db.begin_empty()
        if keeps_all and traced:
            db.discard(DroppedKeys(traced))
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
                self.apply_flush(effect, dot, observed)
            elif is_key_effect(effect, MESSAGE):
                self.db.receive_message(effect, op.origin)
            else:
                self.effects_step().add(effect, dot, observed)
            dot += 1

    def begin_staged(self, staged: StagedEffects, observed: Observed) -> None:
        """Let the effects of a received operation wait, except for messages. O(flushes and
        messages)."""
        staged.observed.vector.update(observed.vector)
        for part in staged.parts:
            if isinstance(part, EffectsStep):
                self.steps.append(part)
                self.db.is_unsettled = True
            else:
                self.apply_flush(*part)
        for message in staged.messages:
            self.db.receive_message(message, origin_of(staged.dot))

    def apply_flush(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Apply a FLUSH. Other effects of the operation share `observed`. Those on the empty key,
        which FLUSH has too, are carried out first, and set its seq to their own."""
        past = observed.copy()
        past.seq = dot & SEQ_MAX
        self.db.apply(effect, dot, past)

    def begin(self, step: Step) -> None:
        """Add a step, whose keys have been put aside."""
        self.steps.append(step)
        self.begun += 1
        self.db.is_unsettled = True

    def settle(self, key: bytes) -> None:
        """Carry out all steps for `key`."""
        if self.current is not None and self.current.key == key:
            self.finish_current()
        if self.failed is not None:
            self.retry(key)
        steps = self.steps_of(key)
        if steps:
            self.finish(SettledKey(key, steps))

    def finish(self, settled: SettledKey) -> None:
        """Carry out the steps of a key. It counts as settled meanwhile: what is done may look it
        up. After a MemoryError it waits again."""
        try:
            settled.finish(self.db)
        except MemoryError:
            settled.earlier, self.failed = self.failed, settled
            raise

    def retry(self, key: bytes | None = None) -> None:
        """Carry out what failed for want of memory; only that of `key`, unless it is None. What
        has come for the keys since then still waits in the steps."""
        before: SettledKey | None = None
        settled = self.failed
        while settled is not None:
            if key is None or settled.key == key:
                settled.take(self.db)
                self.db.is_unsettled = False
                try:
                    settled.finish(self.db)
                finally:
                    self.db.is_unsettled = True
                if before is None:
                    self.failed = settled.earlier
                else:
                    before.earlier = settled.earlier
            else:
                before = settled
            settled = settled.earlier

    def steps_of(self, key: bytes) -> list[Step]:
        """Return the steps that have not been carried out for `key`."""
        for first, step in enumerate(self.steps):
            if step.holds(key):
                return self.steps[first:]
        return []

    # -- large keys ------------------------------------------------------------------------

    def is_large(self, key: bytes, slice_keys: int) -> bool:
        """Return whether it takes longer than a slice to settle `key`."""
        if self.current is not None and self.current.key == key:
            return True
        weight = 0
        for step in self.steps_of(key):
            weight += step.weight(key)
        return weight > slice_keys

    def is_long(self, op: Op, slice_keys: int, slice_effects: int) -> bool:
        """Return whether it takes longer than a slice to apply the effects of `op`, or to settle
        one of their keys before that. Conflicts are not counted (see `has_many_conflicts`)."""
        if op.staged is not None or len(op.effects) > slice_effects:
            return True
        if self.steps or self.current is not None:
            for effect in op.effects:
                if self.is_large(effect[2], slice_keys):
                    return True
        if op.size() <= SHORT_BYTES:
            return False
        return sum([count_items(effect) for effect in op.effects]) > ITEMS_MAX

    def has_many_conflicts(self, op: Op, observed: Observed, slice_keys: int) -> bool:
        """Return whether more effects than the keys of a slice change strings that they have not
        observed, by a sample. Each of them takes as long as ten other effects. `observed` is the
        past of the first effect."""
        found = 0
        for index in range(0, len(op.effects), SAMPLED):
            entry = self.db.data.entry(op.effects[index][2])
            if type(entry) is bytes and not observed.covers(dot_of(entry)):
                found += SAMPLED
        return found > slice_keys

    def begin_key(self, key: bytes, slice_keys: int) -> None:
        """Begin to settle a large key in slices. What comes for it meanwhile waits in later
        steps."""
        assert self.current is None
        if self.failed is not None:
            self.retry(key)
        self.current_size = slice_keys
        self.current = SettledKey(key, self.steps_of(key))
        self.current.take(self.db)

    def advance_current(self) -> None:
        """Do the next slice of the large key that is being settled."""
        current = self.current
        if current is not None:
            current.take(self.db)
            self.db.is_unsettled = False  # the rest of the steps wait
            try:
                has_more = current.advance(self.db, self.current_size)
            finally:
                self.db.is_unsettled = True
            if not has_more:
                self.current = None

    def finish_current(self) -> None:
        """Settle the rest of the large key that is being settled, if there is one."""
        while self.current is not None:
            self.advance_current()

    # -- slices ----------------------------------------------------------------------------

    def settle_all(self) -> None:
        """Settle all keys."""
        while self.settle_some(SETTLE_ALL_KEYS):
            pass

    def settle_some(self, count: int) -> bool:
        """Settle about `count` keys. Return whether more are left."""
        left = count
        if self.failed is not None:
            self.retry()
        while (self.steps or self.current is not None) and left > 0:
            if self.current is not None:
                self.advance_current()
                left -= count
                continue
            oldest = self.steps[0]
            keys = oldest.some_keys(left)
            is_alone = self.can_settle_oldest_alone()
            for key in keys:
                weight = oldest.weight(key)
                if left <= 0:
                    break
                if weight > count or (not is_alone and self.is_large(key, count)):
                    self.begin_key(key, count)
                    break
                if is_alone:
                    self.carry_out_oldest(key)
                else:
                    self.settle(key)
                left -= weight
            if not keys:
                aside = oldest.aside
                if aside is not None and aside.garbage:
                    left -= min(left, len(aside.garbage))
                    if aside.restore_garbage(self.db, count):
                        continue
                if aside is not None:
                    aside.discard(self.db)
                self.steps.pop(0)
        self.db.is_unsettled = bool(self.steps) or self.current is not None
        return self.db.is_unsettled

    def settle_key_slice(self, key: bytes, count: int) -> bool:
        """Do the next slice of the work for `key`, or of the large key that is being settled.
        Return whether settling `key` would still take longer than a slice of `count` keys."""
        if not self.is_large(key, count):
            return False
        if self.current is None:
            self.begin_key(key, count)
        self.advance_current()
        return self.is_large(key, count)

    def can_settle_oldest_alone(self) -> bool:
        """Return whether the oldest step can be carried out for a key without the later ones. Those
        must hold effects only, since other steps have put the keys aside."""
        for index in range(1, len(self.steps)):
            if not isinstance(self.steps[index], EffectsStep):
                return False
        return True

    def carry_out_oldest(self, key: bytes) -> None:
        """Carry out the oldest step for `key`. Later steps wait."""
        settled = SettledKey(key, self.steps[:1])
        self.db.is_unsettled = False
        try:
            self.finish(settled)
        finally:
            self.db.is_unsettled = True

    def estimate_size(self) -> int:
        """Return about how many keys will be left of those that wait."""
        return sum([step.estimate_size() for step in self.steps])

    def clear(self) -> None:
        """Forget all steps with their keys."""
        self.steps.clear()
        self.current = self.failed = None
        self.db.is_unsettled = False
