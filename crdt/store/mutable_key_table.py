"""The keys of one replica, and the result of every effect on them.

`apply` is the last step of local and of remote effects, so both have the same result. Effects of
type code 0 concern a whole key. A value of the type interprets the other effects. A key with values
of several types holds a `Contested`. A deleted value whose metadata must be kept for a while (see
`counter`) moves to `tombstones`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from crdt.causality.dots import Dot, Origin, Vector, origin_of
from crdt.causality.effect import (
    ANY_TYPE,
    DELETE,
    EXPIRE,
    FLUSH,
    FORGET,
    MESSAGE,
    Effect,
    is_key_effect,
)
from crdt.causality.observed import Observed
from crdt.causality.schema import FOREVER
from crdt.store.bin import DroppedHeaps, DroppedKeys
from crdt.store.key_table import KeyTable, takes_deadline
from crdt.store.values import MemoryStore, ValueStore
from crdt.structures.table import Table
from crdt.types.base import DroppedContent, Value
from crdt.types.components.contested import Contested, carried
from crdt.types.components.deadlines import Deadlines, flatten
from crdt.types.components.register import Register
from crdt.types.folded_string import dot_of, is_counter, value_of
from crdt.types.registry import ENDS_TTL, NO_ASSIGNMENT, TypeRegistry

HIDDEN_STEP: Final = 500  # the parts that one effect hides at most


class MutableKeyTable(KeyTable):
    """A key table that applies effects, of this replica and of others alike."""

    __slots__ = ("assignment_kinds", "plain_code", "types")

    def __init__(
        self, types: TypeRegistry, new_store: Callable[[], ValueStore] = MemoryStore
    ) -> None:
        super().__init__(new_store)
        self.types: TypeRegistry = types
        self.plain_code: int = types.plain_code
        self.assignment_kinds: bytes = types.assignment_kinds

    # -- applying --------------------------------------------------------------------------

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Apply one effect to its key. Every local and remote change goes through this method."""
        code: int = effect[0]
        key: bytes = effect[2]
        if self.is_unsettled:
            self.settle(key)
        if self.readers:
            self.warn_readers(key)
        if code == ANY_TYPE:
            self.apply_to_key(effect, dot, observed)
        else:
            entry = self.data.entry(key)
            if code == self.plain_code and self.apply_folded(entry, effect, dot, observed):
                return
            found: Value | None = value_of(entry)
            if found is None or found.code() != code:
                held = self.get_or_create(key, code, found)
                value = held.parts[code] if isinstance(held, Contested) else held
            else:
                held = value = found
            kind = NO_ASSIGNMENT
            if code == self.plain_code:
                operation: int = effect[1]
                kind = self.assignment_kinds[operation]
            if kind == NO_ASSIGNMENT:
                value.apply(effect, dot, observed)
            else:
                assert isinstance(value, Register)
                self.apply_assignment(effect, dot, observed, value, kind == ENDS_TTL)
            value.accessed = self.second
            if not value.is_live():
                self.retire(key, held)
                return
            if found is None:
                self.add_live(key, held)
            elif held is not found or not self.data.shares(held):
                self.data.put(key, held)
            if value.has_garbage():
                self.note_garbage(key, value)
                if not value.is_live():
                    self.retire(key, held)
                    return
                if not self.data.shares(held):
                    self.data.put(key, held)
            self.note_traces(key, held)

    def apply_folded(self, entry: Any, effect: Effect, dot: Dot, observed: Observed) -> bool:
        """Apply an effect on a string that is a folded string before and after it. Return False,
        with nothing changed, for others. `entry` is what the store holds under the key."""
        key: bytes = effect[2]
        if entry is None:
            if key in self.tombstones.index:
                return False
        elif type(entry) is not bytes:
            return False
        operation: int = effect[1]
        kind = self.assignment_kinds[operation]
        if kind == ENDS_TTL and key in self.deadlines.table:
            return False
        folded = self.folder.applied(entry, effect, dot, observed, self.second)
        if folded is None:
            return False
        if entry is None and kind == NO_ASSIGNMENT:
            self.data.put_folded(key, folded)
            if not self.data.counters:
                self.traced[key] = None  # the store does not keep it folded
        else:
            self.data.replace_folded(key, folded)
        return True

    def get_or_create(self, key: bytes, code: int, held: Value | None) -> Value:
        """Return the content of `key` with a value of type `code` in it, which may be live, a
        tombstone or new. `held` is the live content. The result is not stored yet."""
        if held is None and self.tombstones.index:
            held = self.tombstones.get(key)
        if held is None:
            return self.types.makers[code]()
        if held.code() == code:
            return held
        if not isinstance(held, Contested):
            contested = Contested()
            contested.parts[held.code()] = held
            held = contested
        held.part(code, self.types.makers[code])
        return held

    def apply_assignment(
        self, effect: Effect, dot: Dot, observed: Observed, value: Register, ends_ttl: bool
    ) -> None:
        """Apply a write of a whole value. If `ends_ttl`, it removes the time to live (D-10)."""
        key: bytes = effect[2]
        if value.no_expiry:
            if ends_ttl and observed.covers(value.dot):
                value.no_expiry = False  # the deadline that it encodes ends here
            elif ends_ttl and key not in self.deadlines.table:
                self.keep_both(effect, dot, observed, value)
                return
            else:
                self.materialise_deadline(key, value)
        value.apply(effect, dot, observed)
        if ends_ttl:
            if key in self.deadlines.table and self.deadlines.drop(key, observed):
                self.deadlines.add(key, dot, FOREVER)
                self.garbage[key] = None
            elif value.dot == dot and not value.sibling_writes:
                value.no_expiry = True
            else:
                self.deadlines.add(key, dot, FOREVER)
                self.garbage[key] = None

    def keep_both(self, effect: Effect, dot: Dot, observed: Observed, value: Register) -> None:
        """Apply a write of a whole value to a lone write that it has not observed. Both end the
        time to live. This is a short form of the general case, as many keys at a time have such
        conflicts after a cut."""
        key: bytes = effect[2]
        self.deadlines.put(key, flatten({value.dot: FOREVER, dot: FOREVER}))
        self.garbage[key] = None
        value.no_expiry = False
        value.apply(effect, dot, observed)

    def materialise_deadline(self, key: bytes, value: Register) -> None:
        """Replace the flag `no_expiry` of a lone write by the deadline FOREVER that it encodes."""
        value.no_expiry = False
        self.deadlines.add(key, value.dot, FOREVER)
        self.garbage[key] = None

    def compact_deadline(self, key: bytes) -> None:
        """Undo `materialise_deadline` where possible, so that equal content has equal bytes."""
        value = self.remains(key, self.types.plain_code)
        if isinstance(value, Register) and not value.sibling_writes:
            if self.deadlines.table.get(key) == (value.dot, FOREVER):
                self.deadlines.put(key, ())
                value.no_expiry = True
                self.put_part(key, value)

    def apply_to_key(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Apply DELETE, EXPIRE, FORGET, MESSAGE or FLUSH."""
        key: bytes = effect[2]
        operation: int = effect[1]
        if operation == DELETE:
            self.remove(key, effect[3], observed)
        elif operation == EXPIRE:
            self.drop_flag(key, observed)
            self.deadlines.replace(key, dot, effect[3], observed)
            if effect[3] >= FOREVER or key not in self.data.index:
                self.garbage[key] = None
        elif operation == FORGET:
            self.drop_flag(key, observed)
            self.deadlines.drop(key, observed)
        elif operation == MESSAGE:
            self.receive_message(effect, origin_of(dot))
        else:
            self.remove_all(observed)

    def receive_message(self, effect: Effect, origin: Origin) -> None:
        """Pass a message of another region on. It changes no key."""
        raise NotImplementedError

    def remove_all(self, observed: Observed) -> None:
        """Remove the values and deadlines of all keys that `observed` covers."""
        raise NotImplementedError

    def drop_all(self, observed: Observed) -> None:
        """Remove all values and deadlines, which `observed` covers. O(keys that leave metadata)."""
        garbage, self.garbage = self.garbage, Table()
        for key in sorted({*self.traced, *self.tombstones.index}):
            self.remove(key, (), observed)
        dropped, self.data = self.data, self.new_store()
        for key in list(self.traced):
            if key in dropped.index:
                dropped.move(key, self.data, self.traced)  # a counter that nothing has reset
            else:
                self.traced.pop(key)
        deadlines, self.deadlines = self.deadlines, Deadlines()
        record = deadlines.record
        if record is not None:
            record.clear()
            self.deadlines.record = record
        self.discard_tables((dropped.index, deadlines.table, garbage), deadlines.heaps)

    def discard_tables(
        self, tables: tuple[Table, ...], heaps: deque[list[tuple[int, bytes]]]
    ) -> None:
        """Free tables, and the heaps of deadlines, now or in slices."""
        for table in tables:
            if table:
                self.discard(DroppedKeys(table))
        if len(heaps) > 1:
            self.discard(DroppedHeaps(heaps))

    def discard(self, content: DroppedContent) -> None:
        """Free removed content, now or in slices."""
        raise NotImplementedError

    def drop_flag(self, key: bytes, observed: Observed) -> None:
        """Remove the flag `no_expiry` of a lone write, which is an observed deadline or becomes one
        that can be seen."""
        value = self.remains(key, self.types.plain_code)
        if isinstance(value, Register) and value.no_expiry:
            if observed.covers(value.dot):
                value.no_expiry = False
            else:
                self.materialise_deadline(key, value)
            if not self.data.shares(value):
                self.put_part(key, value)

    def remove(self, key: bytes, resets: Any, observed: Observed) -> None:
        """Remove the values and deadlines of a key that `observed` covers."""
        self.deadlines.drop(key, observed)
        entry = self.data.entry(key)
        if type(entry) is bytes and not is_counter(entry):
            if observed.covers(dot_of(entry)):
                self.drop_lone(key)
        else:
            self.remove_value(key, value_of(entry), resets, observed)
        if key in self.deadlines.table:
            self.garbage[key] = None

    def drop_lone(self, key: bytes) -> None:
        """Remove the live value of `key`, of which nothing is left."""
        self.data.drop(key)
        if self.traced:
            self.traced.pop(key)

    def remove_value(
        self, key: bytes, value: Value | None, resets: Any, observed: Observed
    ) -> None:
        """Remove what `observed` covers of `value`, which `data` holds, or of a tombstone."""
        if value is None and self.tombstones.index:
            value = self.tombstones.get(key)
        if value is not None:
            if type(value) is Contested:
                value.remove(observed, resets)
            else:
                value.remove(observed, carried(resets, value.code()))
            dropped = value.take_dropped()
            if dropped is not None:
                self.discard(dropped)
            self.retire(key, value)

    # -- watching --------------------------------------------------------------------------

    def apply_watched(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Apply a local effect on a watched key. Record the key if the effect changes it.

        FLUSH has the empty key, which may be watched. `flush` records the keys that it changes.
        """
        key: bytes = effect[2]
        if is_key_effect(effect, FLUSH):
            self.apply(effect, dot, observed)
            is_change = False
        elif is_key_effect(effect, DELETE):
            is_change = self.lookup(key) is not None
            self.apply(effect, dot, observed)
        elif effect[:2] in self.types.change_if_seen or takes_deadline(effect):
            before = self.visible_state(effect)
            self.apply(effect, dot, observed)
            is_change = self.visible_state(effect) != before
        else:
            self.apply(effect, dot, observed)
            is_change = True
        if is_change:
            self.dirty_keys.append(key)

    # -- storing ---------------------------------------------------------------------------

    def put_part(self, key: bytes, part: Value) -> None:
        """Store a changed value of one type under `key`, whether it is live or a tombstone."""
        place = self.data if key in self.data.index else self.tombstones
        held = place.get(key)
        if isinstance(held, Contested):
            held.replace(part)
            part = held
        place.put(key, part)

    def retire(self, key: bytes, value: Value) -> None:
        """Store a changed value of `key` in `data` if it is live, or in `tombstones` if it still
        has metadata. Otherwise remove the key."""
        if type(value) is Contested:
            value = value.resolve()
        if value.has_garbage():
            self.note_garbage(key, value)
        if value.is_live():
            self.put_live(key, value)
            self.note_traces(key, value)
            return
        self.data.drop(key)
        if self.traced:
            self.traced.pop(key)
        if value.is_empty():
            self.tombstones.drop(key)
        else:
            self.tombstones.put(key, value)
        if key in self.deadlines.table:
            self.garbage[key] = None

    def note_garbage(self, key: bytes, value: Value) -> None:
        """Note a key whose value has metadata to collect, or parts that expire. Hide the parts that
        have expired already, unless they are many: then `hide_expired_parts` continues. Hidden
        parts are no garbage: the lowest region removes them by effects."""
        deadline = value.next_deadline()
        if deadline and deadline < self.expiry_clock:
            value.hide_expired(self.expiry_clock, HIDDEN_STEP)
            self.note_hidden(key, value)
            deadline = value.next_deadline()
        if deadline:
            self.part_deadlines.schedule(key, deadline)
        if value.needs_collection():
            self.garbage[key] = None

    def note_hidden(self, key: bytes, value: Value) -> None:
        """Note a key whose value has hidden parts."""
        deadline = value.hidden_since()
        if deadline:
            self.part_deadlines.hide(key, deadline)
            self.part_deadlines.clock = max(self.part_deadlines.clock, self.expiry_clock)

    def note_traces(self, key: bytes, value: Value) -> None:
        """Note a key whose value has been stored, if its removal may leave something."""
        if value.keeps_traces() and not self.data.is_counter(key) and key not in self.traced:
            self.traced[key] = None

    def put_live(self, key: bytes, value: Value) -> None:
        """Store a live value in `data`, for a new or an existing key."""
        if key in self.data.index:
            self.data.put(key, value)
        else:
            self.add_live(key, value)

    def add_live(self, key: bytes, value: Value) -> None:
        """Store a live value under a key that is not in `data`. It replaces a tombstone."""
        self.data.put(key, value)
        if self.tombstones.index:
            self.tombstones.drop(key)

    def collect_value(self, key: bytes, stable: Vector) -> bool:
        """Collect a key's metadata that `stable` covers. Return whether garbage is left."""
        place = self.data if key in self.data.index else self.tombstones
        value = place.get(key)
        if value is None:
            return False
        left = value.collect(stable)
        if not value.keeps_traces():
            self.traced.pop(key)
        if value.is_empty():
            place.drop(key)
        else:
            place.put(key, value.resolve() if type(value) is Contested else value)
        return left
