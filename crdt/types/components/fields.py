"""A map of registers: what hashes and sorted sets have in common.

Fields form an add-wins set (rules HSH-1, ZST-1): a remove takes away the writes and increments of
a field that it observed, and what another region wrote or added meanwhile survives (rules HSH-5,
HSH-6, ZST-5, ZST-6). Fields that are dead but must be remembered for a while (see `counter`) are
in `tombstones`; `dirty` names the fields that have something to forget.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.types.base import Value
from crdt.types.components.named import LIMITS, LargeContent, Named
from crdt.types.components.register import Register, Write, rename_register
from crdt.types.definition import OriginNames
from crdt.wire.decoding import bytes_of, tuple_of

# Each effect begins with the type code, the operation and the key.
ASSIGN: Final = 0  #  (..., stamp, field, value, field, value, ...)
RESET: Final = 1  #   (..., stamp, field, value, resets): an assignment that resets increments
ADD: Final = 2  #     (..., field, birth, sum)
REMOVE: Final = 3  #  (..., field, ...)
ERASE: Final = 4  #   (..., field, resets): a removal that resets increments
NAME: Final = itemgetter(0)


class Fields(Named):
    """Registers by name."""

    __slots__ = ("counts", "dirty", "fields", "tombstones")

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[bytes, Register] = {}
        """The fields of a small map. Those of a large one are in `large`."""
        self.tombstones: dict[bytes, Register] | None = None
        self.dirty: set[bytes] | None = None
        self.counts: bool = False
        """True if a field has, or had, increments."""

    def make(self) -> Register:
        """Return an empty register."""
        raise NotImplementedError

    def small_content(self) -> dict[bytes, Any]:
        return self.fields

    def has(self, name: bytes) -> bool:
        large = self.large
        return name in self.fields if large is None else name in large.table

    def size(self) -> int:
        large = self.large
        return len(self.fields) if large is None else len(large.table)

    def is_live(self) -> bool:
        return len(self.fields) > 0 or (self.large is not None and len(self.large.table) > 0)

    def find(self, field: bytes) -> Register | None:
        """Return the register of a live field, None if there is none."""
        large = self.large
        found: Register | None = self.fields.get(field) if large is None else large.table.get(field)
        return found

    def put(self, field: bytes, register: Register) -> None:
        """Store the register of a new field."""
        large = self.large
        if large is None:
            self.fields[field] = register
            if len(self.fields) > LIMITS.small_max:
                self.enlarge()
        else:
            large.table.put(field, register)
        if self.order is not None or self.scan_order is not None:
            self.note_added(field)

    def drop(self, field: bytes) -> None:
        """Remove the register of a live field."""
        large = self.large
        if large is None:
            del self.fields[field]
        else:
            large.table.pop(field)

    def enlarge(self) -> None:
        """Move the fields to a table."""
        fields, self.fields = self.fields, {}
        self.make_large(fields)
        for field, register in fields.items():
            self.note_content(field, register)

    def note_content(self, field: bytes, register: Register) -> None:
        """Note the increments in a register, and the dots of a large map."""
        if register.shares:
            self.counts = True
        large = self.large
        if large is not None:
            for write in register.writes():
                large.note_dot(write.dot)
            if register.shares:
                large.counted.add(field)

    def before_change(self, field: bytes, register: Register | None) -> None:
        """Note that `field`, which has this register or None, is about to change. For types that
        keep an index."""

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ASSIGN:
            relative: int = effect[3]
            stamp = observed.base + relative
            for index in range(4, len(effect), 2):
                register = self.get_or_create(effect[index])
                register.write(dot, stamp, effect[index + 1], observed)
        elif operation == RESET:
            self.counts = True
            register = self.get_or_create(effect[4])
            register.reset(effect[6], dot)
            register.write(dot, observed.base + effect[3], effect[5], observed)
            self.refile(effect[4], register)
        elif operation == ADD:
            self.counts = True
            register = self.get_or_create(effect[3])
            register.increment(dot, effect[4], effect[5])
            if self.large is not None:
                self.large.counted.add(effect[3])
            if not register.is_live():
                self.refile(effect[3], register)
        elif operation == REMOVE:
            for index in range(3, len(effect)):
                self.discard(effect[index], None, observed)
        else:
            self.counts = True
            self.discard(effect[3], effect[4], observed)
        if self.large is not None:
            self.large.note_dot(dot)

    def get_or_create(self, field: bytes) -> Register:
        """Return the register of `field`, to be changed: a live one, a tombstone, or a new one."""
        register = self.find(field)
        self.before_change(field, register)
        if register is None:
            register = self.revive(field)
            if register is None:
                register = self.make()
                self.put(field, register)
        return register

    def revive(self, field: bytes) -> Register | None:
        """Make a tombstone a field, and return its register; None if there is none."""
        if self.tombstones is None:
            return None
        register = self.tombstones.pop(field, None)
        if register is not None:
            self.put(field, register)
            self.note_content(field, register)
        return register

    def discard(self, field: bytes, resets: object, observed: Observed) -> None:
        """Remove what was observed of one field."""
        register = self.find(field)
        self.before_change(field, register)
        if register is None and resets is not None:
            register = self.revive(field)
        if register is not None:
            register.remove(observed, resets)
            self.refile(field, register)

    def refile(self, field: bytes, register: Register) -> None:
        """File a changed field by its state: as live, as a tombstone, or not at all."""
        if register.has_garbage():
            if self.dirty is None:
                self.dirty = set()
            self.dirty.add(field)
        if register.is_live():
            return
        self.drop(field)
        if not register.is_empty():
            if self.tombstones is None:
                self.tombstones = {}
            self.tombstones[field] = register

    def remove(self, observed: Observed, resets: object) -> None:
        large = self.large
        if large is None and observed.is_local and not self.counts:
            self.fields.clear()
            self.drop_index()
            self.order = self.scan_order = None
            return
        by_field: dict[Any, Any] = {}
        if resets is not None:
            flat = tuple_of(resets, "resets", 2)
            by_field = dict(zip(flat[::2], flat[1::2], strict=True))
        if large is not None and large.is_observed(observed):
            self.drop_plain(large)
        for field in list(self.tombstones or ()):
            self.discard(field, by_field.get(field), observed)
        for names in self.name_slices():
            for field in names:
                self.discard(field, by_field.get(field), observed)

    def drop_plain(self, large: LargeContent) -> None:
        """Remove all fields but those that have increments. O(fields with increments)."""
        table, counted = large.table, large.counted
        large.drop_all(self.drop_index())
        for field in counted:
            register: Register | None = table.pop(field)
            if register is not None:
                self.put(field, register)
                self.note_content(field, register)

    def keeps_traces(self) -> bool:
        return self.counts or self.dirty is not None

    def resets(self) -> object:
        if not self.counts:
            return None
        flat: list[Any] = []
        names = self.fields if self.large is None else sorted(self.large.counted)
        for field in names:
            register = self.find(field)
            resets = None if register is None else register.resets()
            if resets is not None:
                flat += (field, resets)
        return tuple(flat) if flat else None

    def is_empty(self) -> bool:
        return not self.is_live() and not self.tombstones

    def min_dot(self) -> Dot:
        return min((register.min_dot() for _, register in self.entries()), default=0)

    def visible_part(self, effect: Effect) -> object:
        operation: int = effect[1]
        concerned: tuple[Any, ...] = effect[3:4]
        if operation == ASSIGN:
            concerned = effect[4::2]
        elif operation == RESET:
            concerned = effect[4:5]
        elif operation == REMOVE:
            concerned = effect[3:]
        registers = [self.find(name) for name in concerned]
        return [None if register is None else register.visible() for register in registers]

    def registers(self) -> list[tuple[bytes, Value]]:
        return list(self.entries())

    def has_garbage(self) -> bool:
        return self.dirty is not None

    def collect(self, stable: Vector) -> bool:
        if self.dirty is None:
            return False
        left: set[bytes] = set()
        for field in self.dirty:
            register = self.find(field)
            if register is None and self.tombstones is not None:
                register = self.tombstones.get(field)
            if register is not None and register.collect(stable):
                left.add(field)
            if (
                self.tombstones is not None
                and field in self.tombstones
                and self.tombstones[field].is_empty()
            ):
                del self.tombstones[field]
        self.dirty = left or None
        self.tombstones = self.tombstones or None
        return bool(left)

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, Fields)
        for names in other.name_slices():
            for field in names:
                self.merge_field(field, other, mine, theirs)
            yield
        for names in self.name_slices():
            for field in names:
                if other.find(field) is None:
                    self.merge_field(field, other, mine, theirs)
            yield
        for field in [*(self.tombstones or ()), *(other.tombstones or ())]:
            self.merge_field(field, other, mine, theirs)

    def merge_field(self, field: bytes, other: Fields, mine: Vector, theirs: Vector) -> None:
        """Merge both sides' registers of a field, live or tombstones."""
        given, held = other.held(field), self.find(field)
        if held is None and given is not None and given.plain() and not self.has_tombstone(field):
            if not covers(mine, given.dot):
                register = self.get_or_create(field)
                register.show([Write(given.dot, given.stamp, given.value)])
                self.note_content(field, register)
            return
        if held is not None and held.plain():
            if given is None and not covers(theirs, held.dot):
                return
            if given is not None and given.plain() and given.dot == held.dot:
                return
        register = self.get_or_create(field)
        register.merge(self.make() if given is None else given, mine, theirs)
        self.refile(field, register)
        self.note_content(field, register)

    def has_tombstone(self, field: bytes) -> bool:
        """Return whether metadata of a removed field is kept."""
        return self.tombstones is not None and field in self.tombstones

    def held(self, field: bytes) -> Register | None:
        """Return the register of a field, live or a tombstone, or None."""
        register = self.find(field)
        if register is None and self.tombstones is not None:
            register = self.tombstones.get(field)
        return register

    def everything(self) -> list[tuple[bytes, Register]]:
        """Return the live fields and the tombstones. O(n)."""
        return [*self.entries(), *(self.tombstones or {}).items()]

    def state(self) -> Any:
        flat: list[Any] = []
        for field, register in sorted(self.everything(), key=NAME):
            flat += (field, register.state())
        return tuple(flat)

    def equals(self, other: Value) -> bool:
        assert isinstance(other, Fields)
        if self.large is not None or other.large is not None:
            return False
        return bool(self.state() == other.state())

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a map", 2)
        for index in range(0, len(flat), 2):
            field = bytes_of(flat[index], "a map's field")
            register = self.get_or_create(field)
            register.load(flat[index + 1])
            self.refile(field, register)
            self.note_content(field, register)

    def covered(self, vector: Vector) -> bool:
        return all(register.covered(vector) for _, register in self.everything())

    def siblings(self) -> list[tuple[Dot, object]]:
        pairs = [
            (f, s) for f, register in sorted(self.entries(), key=NAME) for s in register.siblings()
        ]
        return [(dot, (field, value)) for field, (dot, value) in pairs]


def rename_fields(value: Fields, names: OriginNames) -> None:
    """Rename the origins in all registers, dead ones included."""
    for _, register in value.everything():
        rename_register(register, names)
    if value.large is not None:
        value.large.rename(names)


def names_of(shown: Any) -> frozenset[bytes]:
    """Return the names in a sequence of names and values."""
    return frozenset(map(NAME, shown))
