"""A map of registers: what hashes and sorted sets have in common.

Fields form an add-wins set (rules HSH-1, ZST-1): a remove takes away the writes and increments of
a field that it observed, and what another region wrote or added meanwhile survives (rules HSH-5,
HSH-6, ZST-5, ZST-6). Fields that are dead but must be remembered for a while (see `counter`) are
in `tombstones`; `dirty` names the fields that have something to forget.

A live field is stored as a `LoneWrite` while it holds one write and nothing else, and otherwise as
a `Register`. `thing` returns either, and the other methods return a register. That of a lone write
is a copy: only `open` returns one that may be changed, and `refile` must follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers
from crdt.causality.effect import Effect, weight
from crdt.causality.observed import Observed
from crdt.types.base import Value
from crdt.types.components.lone_write import LoneWrite
from crdt.types.components.named import LIMITS, LargeContent, Named
from crdt.types.components.register import Register, rename_register
from crdt.types.definition import OriginNames
from crdt.wire.decoding import bytes_of, tuple_of

# Each effect begins with the type code, the operation and the key.
ASSIGN: Final = 0  #  (..., stamp, field, value, field, value, ...)
RESET: Final = 1  #   (..., stamp, field, value, resets): an assignment that resets increments
ADD: Final = 2  #     (..., field, birth, sum)
REMOVE: Final = 3  #  (..., field, ...)
ERASE: Final = 4  #   (..., field, resets): a removal that resets increments
NAME: Final = itemgetter(0)

Thing = LoneWrite | Register


class Fields(Named):
    """Registers by name."""

    __slots__ = ("counts", "dirty", "fields", "tombstones")

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[bytes, Thing] = {}
        """The fields of a small map. Those of a large one are in `large`."""
        self.tombstones: dict[bytes, Register] | None = None
        self.dirty: set[bytes] | None = None
        self.counts: bool = False
        """True if a field has, or had, increments."""

    def make(self) -> Register:
        """Return an empty register."""
        raise NotImplementedError

    def lone(self, dot: Dot, stamp: int, value: Any) -> LoneWrite | None:
        """Return one write in its short form, or None if it has none."""
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

    def thing(self, field: bytes) -> Thing | None:
        """Return what is stored for a live field, None if there is none."""
        large = self.large
        found: Thing | None = self.fields.get(field) if large is None else large.table.get(field)
        return found

    def find(self, field: bytes) -> Register | None:
        """Return the register of a live field, to be read; None if there is none."""
        thing = self.thing(field)
        return None if thing is None else self.unfolded(thing)

    def unfolded(self, thing: Thing) -> Register:
        """Return the register for what is stored."""
        if isinstance(thing, Register):
            return thing
        register = self.make()
        register.dot, register.stamp, register.value = thing.dot, thing.stamp, thing.written()
        return register

    def entries(self) -> list[tuple[bytes, Any]]:
        return [(field, self.unfolded(thing)) for field, thing in self.content().items()]

    def store(self, field: bytes, thing: Thing) -> None:
        """Replace what is stored for a live field."""
        large = self.large
        if large is None:
            self.fields[field] = thing
        else:
            large.table.put(field, thing)

    def put(self, field: bytes, thing: Thing) -> None:
        """Store a new field."""
        large = self.large
        if large is None:
            self.fields[field] = thing
            if len(self.fields) > LIMITS.small_max:
                self.enlarge()
        else:
            large.table.put(field, thing)
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
        for field, thing in fields.items():
            self.note_content(field, thing)

    def note_content(self, field: bytes, thing: Thing) -> None:
        """Note the increments in a field, and the dots of a large map."""
        large = self.large
        if isinstance(thing, LoneWrite):
            if large is not None:
                large.note_dot(thing.dot)
            return
        if thing.shares:
            self.counts = True
        if large is not None:
            for write in thing.writes():
                large.note_dot(write.dot)
            if thing.shares:
                large.counted.add(field)

    def before_change(self, field: bytes, thing: Thing | None) -> None:
        """Note that `field`, for which this is stored or None, is about to change. For types that
        keep an index."""

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ASSIGN:
            relative: int = effect[3]
            stamp = observed.base + relative
            for index in range(4, len(effect), 2):
                self.assign(effect[index], dot, stamp, effect[index + 1], observed)
        elif operation == RESET:
            self.counts = True
            register = self.open(effect[4])
            register.reset(effect[6], dot)
            register.write(dot, observed.base + effect[3], effect[5], observed)
            self.refile(effect[4], register)
        elif operation == ADD:
            self.counts = True
            register = self.open(effect[3])
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

    def assign(self, field: bytes, dot: Dot, stamp: int, value: Any, observed: Observed) -> None:
        """Write one field."""
        thing = self.thing(field)
        self.before_change(field, thing)
        if thing is None:
            if self.tombstones is None or field not in self.tombstones:
                lone = self.lone(dot, stamp, value)
                if lone is not None:
                    self.put(field, lone)
                    return
        elif isinstance(thing, LoneWrite) and observed.covers(thing.dot):
            if thing.rewrite(dot, stamp, value):
                return
        register = self.open(field)
        register.write(dot, stamp, value, observed)
        self.refile(field, register)

    def open(self, field: bytes) -> Register:
        """Return the register of `field`, to be changed: that of a live field, a tombstone, or a
        new one."""
        thing = self.thing(field)
        self.before_change(field, thing)
        if thing is None:
            register = self.revive(field)
            if register is not None:
                return register
            register = self.make()
            self.put(field, register)
        elif isinstance(thing, LoneWrite):
            register = self.unfolded(thing)
            self.store(field, register)
        else:
            register = thing
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
        thing = self.thing(field)
        self.before_change(field, thing)
        if isinstance(thing, LoneWrite):
            if observed.covers(thing.dot):
                self.drop(field)
            return
        if thing is None and resets is not None:
            thing = self.revive(field)
        if thing is not None:
            thing.remove(observed, resets)
            self.refile(field, thing)

    def refile(self, field: bytes, register: Register) -> None:
        """File a changed field by its state: as live, as a tombstone, or not at all."""
        if register.has_garbage():
            if self.dirty is None:
                self.dirty = set()
            self.dirty.add(field)
        if register.is_live():
            self.fold(field, register)
            return
        self.drop(field)
        if not register.is_empty():
            if self.tombstones is None:
                self.tombstones = {}
            self.tombstones[field] = register

    def fold(self, field: bytes, register: Register) -> None:
        """Store a live field in its short form, if it has one."""
        if register.plain() and not register.no_expiry:
            lone = self.lone(register.dot, register.stamp, register.value)
            if lone is not None:
                self.store(field, lone)

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
            thing: Thing | None = table.pop(field)
            if thing is not None:
                self.put(field, thing)
                self.note_content(field, thing)

    def keeps_traces(self) -> bool:
        return self.counts or self.dirty is not None

    def resets(self) -> object:
        if not self.counts:
            return None
        flat: list[Any] = []
        names = self.fields if self.large is None else sorted(self.large.counted)
        for field in names:
            thing = self.thing(field)
            resets = thing.resets() if isinstance(thing, Register) else None
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
        return [
            (field, thing) for field, thing in self.content().items() if isinstance(thing, Register)
        ]

    def has_garbage(self) -> bool:
        return self.dirty is not None

    def collect(self, stable: Vector) -> bool:
        if self.dirty is None:
            return False
        left: set[bytes] = set()
        for field in self.dirty:
            register = self.held(field)
            if register is not None:
                if register.collect(stable):
                    left.add(field)
                elif self.has(field):
                    self.fold(field, register)
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
                if not other.has(field):
                    self.merge_field(field, other, mine, theirs)
            yield
        dead = [*(self.tombstones or ()), *(other.tombstones or ())]
        for start in range(0, len(dead), LIMITS.slice_names):
            for field in dead[start : start + LIMITS.slice_names]:
                self.merge_field(field, other, mine, theirs)
            yield

    def merge_field(self, field: bytes, other: Fields, mine: Vector, theirs: Vector) -> None:
        """Merge both sides' registers of a field, live or tombstones."""
        given, held = other.stored(field), self.thing(field)
        if held is None and isinstance(given, LoneWrite) and not self.has_tombstone(field):
            if not covers(mine, given.dot):
                self.before_change(field, None)
                self.put(field, given.copy())
                self.note_content(field, given)
            return
        if isinstance(held, LoneWrite):
            if given is None and not covers(theirs, held.dot):
                return
            if isinstance(given, LoneWrite) and given.dot == held.dot:
                return
        register = self.open(field)
        merged = self.make() if given is None else other.unfolded(given)
        register.merge(merged, mine, theirs)
        self.note_content(field, register)
        self.refile(field, register)

    def stored(self, field: bytes) -> Thing | None:
        """Return what is stored for a field, live or a tombstone; None without anything."""
        thing = self.thing(field)
        if thing is None and self.tombstones is not None:
            thing = self.tombstones.get(field)
        return thing

    def has_tombstone(self, field: bytes) -> bool:
        """Return whether metadata of a removed field is kept."""
        return self.tombstones is not None and field in self.tombstones

    def held(self, field: bytes) -> Register | None:
        """Return the register of a field, live or a tombstone, or None."""
        thing = self.stored(field)
        return None if thing is None else self.unfolded(thing)

    def everything(self) -> list[tuple[bytes, Register]]:
        """Return the live fields, and those that readers do not see. O(n)."""
        return [*self.entries(), *self.unseen()]

    def unseen(self) -> list[tuple[bytes, Register]]:
        """Return what is kept of fields that readers do not see. O(n) in their number."""
        return list((self.tombstones or {}).items())

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
            register = self.open(field)
            register.load(flat[index + 1])
            self.note_content(field, register)
            self.refile(field, register)

    def divides(self, count: int, size: int) -> bool:
        return self.size() > count

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        flat: list[Any] = []
        left = size
        for field, register in self.each():
            state = register.state()
            flat += (field, state)
            left -= len(field) + weight(state)
            if len(flat) >= 2 * count or left <= 0:
                yield tuple(flat)
                flat, left = [], size
        if flat:
            yield tuple(flat)

    def each(self) -> Iterator[tuple[bytes, Register]]:
        """Yield what `everything` returns, without visiting all of it at once."""
        for names in self.name_slices():
            for field in names:
                register = self.find(field)
                if register is not None:
                    yield field, register
        yield from self.unseen()

    def load_part(self, part: Any, vector: Vector) -> bool:
        Fields.load(self, part)
        for index in range(0, len(part), 2):
            register = self.held(part[index])
            if register is not None and not register.covered(vector):
                return False
        return True

    def covered(self, vector: Vector) -> bool:
        return all(register.covered(vector) for _, register in self.everything())

    def siblings(self) -> list[tuple[Dot, object]]:
        pairs = [
            (f, s) for f, register in sorted(self.entries(), key=NAME) for s in register.siblings()
        ]
        return [(dot, (field, value)) for field, (dot, value) in pairs]


def rename_fields(value: Fields, names: OriginNames) -> None:
    """Rename the origins in all registers, dead ones included."""
    for field in [*value.names(), *(value.tombstones or ())]:
        thing = value.stored(field)
        if isinstance(thing, Register):
            rename_register(thing, names)
        elif thing is not None:
            thing.dot = names.dot(thing.dot)
    if value.large is not None:
        value.large.rename(names)


def names_of(shown: Any) -> frozenset[bytes]:
    """Return the names in a sequence of names and values."""
    return frozenset(map(NAME, shown))
