"""The types that a replica knows.

A new built-in type is added to `DEFINITIONS`, and to nothing else outside its own modules. The
classes that an application brings join a registry of their replica's own (`with_types`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from crdt.causality.effect import ANY_TYPE, FORGET, OPERATION_MAX, Effect
from crdt.causality.schema import (
    CODE_MAX,
    KEY_SHAPES,
    OPERATIONS_PER_VERSION,
    PREFIX_ITEMS,
    Kind,
    Shape,
    check_shape,
    is_stamp,
)
from crdt.errors import DecodeError
from crdt.types import (
    custom,
    flag,
    grow_counter,
    hash,
    hyperloglog,
    json,
    list,
    multi_value,
    remove_wins_set,
    set,
    sorted_set,
    stream,
    string,
)
from crdt.types.base import Value
from crdt.types.definition import Operation, TypeDefinition
from crdt.wire.decoding import check_version
from crdt.wire.expect import is_iterable, mismatch

NO_ASSIGNMENT: Final = 0
KEEPS_TTL: Final = 1
ENDS_TTL: Final = 2
PLAIN_ITEMS: Final = PREFIX_ITEMS + 2
"""The items of an assignment that takes no increments back."""


class TypeRegistry:
    """Definitions by code, and the tables that are made of them once, for speed.

    A registry does not change: `with_types` returns another one.
    """

    def __init__(self, definitions: Iterable[TypeDefinition]) -> None:
        """Raises ValueError if two types share a code, or if more than one is plain."""
        self.by_code: dict[int, TypeDefinition] = {}
        for each in definitions:
            if each.code in self.by_code:
                raise ValueError(f"two types have the code {each.code}")
            self.by_code[each.code] = each
        self.makers: dict[int, Callable[[], Value]] = {}
        self.operations: dict[Kind, Operation] = {}
        """The operations of all types, by the first two items of their effects."""
        for code, each in self.by_code.items():
            self.makers[code] = each.make
            self.operations.update(each.kinds())
        self.shapes: dict[Kind, Shape] = dict(KEY_SHAPES)
        """The forms of effects, those on whole keys included."""
        for kind, operation in self.operations.items():
            self.shapes[kind] = operation.shape()
        self.shape_table: tuple[tuple[Shape | None, ...], ...] = self.shapes_by_code()
        """The same by code and by operation, which are looked up in a fraction of the time."""
        if_seen = [kind for kind, each in self.operations.items() if each.is_change_if_seen]
        self.change_if_seen: frozenset[Kind] = frozenset([(ANY_TYPE, FORGET), *if_seen])
        """Local effects that are changes for watchers only if readers see a difference, as in
        Redis. All other local effects always are."""
        plain = [code for code, each in self.by_code.items() if each.is_plain]
        if len(plain) > 1:
            raise ValueError(f"types {plain} are all plain: snapshots have columns for one type")
        self.plain_code: int = plain[0] if plain else 0
        """Return the code of the plain type; 0 without one."""
        self.assignments: frozenset[int] = self.plain_operations(lambda each: each.is_assignment)
        self.edits: frozenset[int] = self.plain_operations(lambda each: each.is_edit)
        self.ends_ttl: frozenset[int] = self.plain_operations(lambda each: each.ends_ttl)
        self.assignment_kinds: bytes = self.assignments_by_operation()
        """NO_ASSIGNMENT, KEEPS_TTL or ENDS_TTL for each operation of the plain type."""

    def shapes_by_code(self) -> tuple[tuple[Shape | None, ...], ...]:
        """Return the forms of effects by code, and for each code by operation. There are gaps
        where the operations of a type do not begin at 0."""
        shapes: dict[int, tuple[Shape | None, ...]] = {}
        for code, operation in sorted(self.shapes):
            row = shapes.get(code, ())
            gap = (None,) * (operation - len(row))
            shapes[code] = (*row, *gap, self.shapes[code, operation])
        return tuple([shapes.get(code, ()) for code in range(max([CODE_MAX, *shapes]) + 1)])

    def assignments_by_operation(self) -> bytes:
        """Return what an operation of the plain type does, by its number."""
        kinds = bytearray(OPERATION_MAX + 1)
        for operation in self.assignments | self.edits:
            kinds[operation] = ENDS_TTL if operation in self.ends_ttl else KEEPS_TTL
        return bytes(kinds)

    def plain_operations(self, is_wanted: Callable[[Operation], bool]) -> frozenset[int]:
        """Return the operations of the plain type that `is_wanted` chooses. Raises ValueError if it
        chooses one of another type."""
        chosen = [kind for kind, each in self.operations.items() if is_wanted(each)]
        for code, operation in chosen:
            if code != self.plain_code:
                raise ValueError(f"operation {operation} of type {code}: the type is not plain")
        return frozenset([operation for _, operation in chosen])

    def is_assignment(self, effect: Effect) -> bool:
        """Return whether an effect writes a whole value of the plain type."""
        return bool(effect[0] == self.plain_code and effect[1] in self.assignments)

    def is_edit(self, effect: Effect) -> bool:
        """Return whether an effect edits a value of the plain type."""
        return bool(effect[0] == self.plain_code and effect[1] in self.edits)

    def operation_of(self, effect: Effect) -> Operation | None:
        """Return the operation of an effect; None if its type declares none."""
        return self.operations.get(effect[:2])

    def definition(self, value: Value) -> TypeDefinition:
        """Return the definition of a value's type."""
        return self.by_code[value.code()]

    def with_types(
        self, types: Iterable[Callable[[], Value | custom.Type] | TypeDefinition]
    ) -> TypeRegistry:
        """Return a registry that knows also these classes and definitions. One of our own codes
        takes the place of the type that had it.

        Raises ValueError if two of them share a code, and what `custom.define` raises.
        """
        if not is_iterable(types):
            hint = f"use types=[{getattr(types, '__name__', 'YourType')}]"
            raise TypeError(mismatch("types", "a list of classes", types, hint))
        added = TypeRegistry([self.define(each) for each in types])
        if not added.by_code:
            return self
        return TypeRegistry((self.by_code | added.by_code).values())

    def define(self, make: Callable[[], Any] | TypeDefinition) -> TypeDefinition:
        """Return the definition of a type."""
        if isinstance(make, TypeDefinition):
            return make
        made = custom.new_instance(make)
        if not isinstance(made, Value):
            return custom.define(make, made)
        known = self.by_code.get(made.code())
        if known is not None:
            return attrs.evolve(known, make=make)
        return TypeDefinition(name=type(made).__name__, code=made.code(), make=make)

    def check_effects(self, effects: tuple[Effect, ...]) -> None:
        """Raise what `check_effect` raises at one of these effects."""
        plain_code, kinds, table = self.plain_code, self.assignment_kinds, self.shape_table
        for effect in effects:
            code: int = effect[0]
            operation: int = effect[1]
            if code == plain_code and kinds[operation] and len(effect) == PLAIN_ITEMS:
                # the commonest effects, in a third of the time
                if is_stamp(effect[3]) and type(effect[4]) is bytes:
                    continue
            shapes = table[code]
            shape = shapes[operation] if operation < len(shapes) else None
            if shape is not None:
                check_shape(effect, shape)
            else:
                self.check_undeclared(effect)

    def check_effect(self, effect: Effect) -> None:
        """Raise DecodeError at an effect of an unknown type or operation, or of another form than
        its operation has. `check_form` has passed it."""
        self.check_effects((effect,))

    def check_undeclared(self, effect: Effect) -> None:
        """Raise what `check_effect` raises at an effect whose operation no definition declares."""
        code: int = effect[0]
        operation: int = effect[1]
        definition = self.by_code.get(code)
        if definition is None:
            raise DecodeError(
                f"an effect of unknown type {code}: this replica knows no type {code}; see `types`"
            )
        if definition.check_effect is not None:
            definition.check_effect(effect)
            return
        if definition.operations_version is not None:
            what, version = definition.operations_version
            check_version(operation // OPERATIONS_PER_VERSION + 1, version, what)
        raise DecodeError(f"an effect of type {code} has an unknown operation {operation}")

    def encoding_limits(self) -> Mapping[str, int]:
        """Return the parameters of Redis that decide about encodings, with their defaults."""
        found: dict[str, int] = {}
        for each in self.by_code.values():
            found.update(each.encoding_limits)
        return found


DEFINITIONS: Final[tuple[TypeDefinition, ...]] = (
    string.DEFINITION,
    set.DEFINITION,
    hash.DEFINITION,
    sorted_set.DEFINITION,
    list.DEFINITION,
    hyperloglog.DEFINITION,
    multi_value.DEFINITION,
    remove_wins_set.DEFINITION,
    grow_counter.DEFINITION,
    flag.ENABLE_WINS_DEFINITION,
    flag.DISABLE_WINS_DEFINITION,
    json.DEFINITION,
    stream.DEFINITION,
)
BUILT_IN: Final = TypeRegistry(DEFINITIONS)
"""The types of this package."""
