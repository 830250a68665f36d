"""A map of registers: what hashes and sorted sets have in common.

Fields form an add-wins set (rules HSH-1, ZST-1): a remove takes away the writes and increments of
a field that it observed, and what another region wrote or added meanwhile survives (rules HSH-5,
HSH-6, ZST-5, ZST-6). Fields that are dead but must be remembered for a while (see `counter`) are
in `tombstones`; `dirty` names the fields that have something to forget.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from operator import itemgetter
from typing import Any, Final

from crdt.causality.dots import Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.structures.sample_order import Order
from crdt.structures.scan_order import ScanOrder
from crdt.types.base import Value
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


class Fields(Value):
    """Registers by name."""

    __slots__ = ("counts", "dirty", "fields", "tombstones", "order", "scan_order")

    def __init__(self) -> None:
        self.fields: dict[bytes, Register] = {}
        self.tombstones: dict[bytes, Register] | None = None
        self.dirty: set[bytes] | None = None
        self.counts: bool = False
        """True if a field has, or had, increments."""
        self.order: Order | None = None
        self.scan_order: ScanOrder | None = None

    def make(self) -> Register:
        """Return an empty register."""
        raise NotImplementedError

    def before_change(self, field: bytes, register: Register | None) -> None:
        """Note that `field`, which has this register or None, is about to change. For types that
        keep an index."""

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ASSIGN:
            relative: int = effect[3]
            stamp = observed.base + relative
            for index in range(4, len(effect), 2):
                field: bytes = effect[index]
                register = self.get_or_create(field)
                register.write(dot, stamp, effect[index + 1], observed)
        elif operation == RESET:
            self.counts = True
            register = self.get_or_create(effect[4])
            register.reset(effect[6], dot)
            register.write(dot, observed.base + effect[3], effect[5], observed)
            self.refile(effect[4])
        elif operation == ADD:
            self.counts = True
            register = self.get_or_create(effect[3])
            register.increment(dot, effect[4], effect[5])
            if not register.is_live():
                self.refile(effect[3])
        elif operation == REMOVE:
            for index in range(3, len(effect)):
                self.discard(effect[index], None, observed)
        else:
            self.counts = True
            self.discard(effect[3], effect[4], observed)

    def get_or_create(self, field: bytes) -> Register:
        """Return the register of `field`, to be changed: a live one, a tombstone, or a new one."""
        register = self.fields.get(field)
        self.before_change(field, register)
        if register is None:
            if self.tombstones is not None:
                register = self.tombstones.pop(field, None)
            if register is None:
                register = self.make()
            self.fields[field] = register
            if self.order is not None:
                self.order.add(field, self.fields)
            if self.scan_order is not None:
                self.scan_order.add(field, self.fields)
        return register

    def discard(self, field: bytes, resets: object, observed: Observed) -> None:
        """Remove what was observed of one field."""
        register = self.fields.get(field)
        self.before_change(field, register)
        if register is None and resets is not None and self.tombstones is not None:
            register = self.tombstones.pop(field, None)
            if register is not None:
                self.fields[field] = register
        if register is not None:
            register.remove(observed, resets)
            self.refile(field)

    def refile(self, field: bytes) -> None:
        """File a field by its state: as live, as a tombstone, or not at all."""
        register = self.fields[field]
        if register.has_garbage():
            if self.dirty is None:
                self.dirty = set()
            self.dirty.add(field)
        if register.is_live():
            return
        del self.fields[field]
        if not register.is_empty():
            if self.tombstones is None:
                self.tombstones = {}
            self.tombstones[field] = register

    def remove(self, observed: Observed, resets: object) -> None:
        by_field: dict[Any, Any] = {}
        if resets is not None:
            flat = tuple_of(resets, "resets", 2)
            by_field = dict(zip(flat[::2], flat[1::2], strict=True))
        for field in list(self.everything()):
            self.discard(field, by_field.get(field), observed)

    def keeps_traces(self) -> bool:
        return self.counts

    def resets(self) -> object:
        flat: list[Any] = []
        for field, register in self.fields.items():
            resets = register.resets()
            if resets is not None:
                flat += (field, resets)
        return tuple(flat) if flat else None

    def is_live(self) -> bool:
        return len(self.fields) > 0

    def is_empty(self) -> bool:
        return not self.fields and not self.tombstones

    def min_dot(self) -> Dot:
        return min((register.min_dot() for register in self.fields.values()), default=0)

    def visible_part(self, effect: Effect) -> object:
        operation: int = effect[1]
        names: tuple[Any, ...] = effect[3:4]
        if operation == ASSIGN:
            names = effect[4::2]
        elif operation == RESET:
            names = effect[4:5]
        elif operation == REMOVE:
            names = effect[3:]
        registers = [self.fields.get(name) for name in names]
        return [None if register is None else register.visible() for register in registers]

    def registers(self) -> list[tuple[bytes, Value]]:
        return list(self.fields.items())

    def has(self, name: bytes) -> bool:
        """Return whether this is a field."""
        return name in self.fields

    def size(self) -> int:
        """Return the number of fields."""
        return len(self.fields)

    def names(self) -> Collection[bytes]:
        """Return the fields, in no order. They are those of the value itself, not a copy."""
        return self.fields

    def sampled(self) -> Order:
        """Return the fields in an order that can be sampled. O(n) the first time."""
        if self.order is None:
            self.order = Order(list(self.fields))
        return self.order

    def pick(self, rng: random.Random) -> bytes:
        """Return a random field."""
        return self.sampled().pick(rng, self.fields)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` fields onwards from `cursor`.

        The first and last cursor is 0. O(n) the first time.
        """
        if self.scan_order is None:
            self.scan_order = ScanOrder(self.fields, len(self.fields))
        return self.scan_order.walk(cursor, count, self.fields)

    def has_garbage(self) -> bool:
        return self.dirty is not None

    def collect(self, stable: Vector) -> bool:
        if self.dirty is None:
            return False
        left: set[bytes] = set()
        for field in self.dirty:
            register = self.fields.get(field)
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

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Fields)
        self.order = None
        ours, given = self.everything(), other.everything()
        for field in sorted(ours.keys() | given.keys()):
            register = self.get_or_create(field)
            copy = given.get(field)
            register.merge(copy if copy is not None else self.make(), mine, theirs)
            if register.shares:
                self.counts = True
            self.refile(field)

    def everything(self) -> dict[bytes, Register]:
        """Return the live fields and the tombstones."""
        return self.fields if not self.tombstones else self.fields | self.tombstones

    def state(self) -> Any:
        flat: list[Any] = []
        everything = self.everything()
        for field in sorted(everything):
            flat += (field, everything[field].state())
        return tuple(flat)

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a map", 2)
        for index in range(0, len(flat), 2):
            field = bytes_of(flat[index], "a map's field")
            register = self.get_or_create(field)
            register.load(flat[index + 1])
            if register.shares:
                self.counts = True
            self.refile(field)

    def covered(self, vector: Vector) -> bool:
        for register in self.everything().values():
            if not register.covered(vector):
                return False
        return True

    def siblings(self) -> list[tuple[Dot, object]]:
        pairs = [(f, s) for f in sorted(self.fields) for s in self.fields[f].siblings()]
        return [(dot, (field, value)) for field, (dot, value) in pairs]


def rename_fields(value: Fields, names: OriginNames) -> None:
    """Rename the origins in all registers, dead ones included."""
    for register in value.everything().values():
        rename_register(register, names)


def names_of(shown: Any) -> frozenset[bytes]:
    """Return the names in a sequence of names and values."""
    return frozenset(map(NAME, shown))
