"""Map the origins of another database to origins of this one.

Two independent databases both have a region 1. A follower of both gives each a block of region
numbers: region `r` of a source becomes the `r`-th number of its block. The numbers of a block
ascend, so comparisons of origins have the same result as at the source. They decide ties between
writes and the order of a list. Incarnations and sequence numbers stay the same.

Dots occur in vectors, in the shares of counters and in positions of lists. An op is renamed effect
by effect and a snapshot value by value, both after they have been checked. The definition of a type
states how. A type without such a rule can be followed only if the block changes no origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crdt.causality.dots import (
    INCARNATION_BITS,
    INCARNATION_MAX,
    SEQ_BITS,
    SEQ_MAX,
    Dot,
    Origin,
    Vector,
    region_of,
)
from crdt.causality.effect import ANY_TYPE, Effect
from crdt.causality.op import FRAGMENT, Op
from crdt.causality.schema import PREFIX_ITEMS, Check, are_resets, is_carried, is_dot
from crdt.store.merge import Incoming
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.definition import ORIGIN_ITEMS, holds_origins, renamed_position
from crdt.types.registry import BUILT_IN, TypeRegistry
from replication.protocol.errors import CannotRename


class OriginMap:
    """The map of one source: its block of region numbers, in ascending order."""

    def __init__(self, numbers: Sequence[int], types: TypeRegistry = BUILT_IN) -> None:
        assert list(numbers) == sorted(set(numbers)), "a block's numbers ascend"
        self.types = types
        self.numbers = tuple(numbers)
        self.places = {number: place for place, number in enumerate(numbers, 1)}
        self.identical = all(number == place for number, place in self.places.items())

    # -- names -----------------------------------------------------------------------------

    def origin(self, origin: Origin) -> Origin:
        """Return the origin here for one of the source. Raises CannotRename if there is no room."""
        region = region_of(origin)
        if not 1 <= region <= len(self.numbers):
            raise CannotRename(
                f"region {region} of a source: there is room for {len(self.numbers)} regions"
            )
        return self.numbers[region - 1] << INCARNATION_BITS | origin & INCARNATION_MAX

    def dot(self, dot: Dot) -> Dot:
        """Return the dot here for one of the source; 0 stays 0."""
        return self.origin(dot >> SEQ_BITS) << SEQ_BITS | dot & SEQ_MAX if dot else 0

    def vector(self, vector: Vector) -> Vector:
        """Return the vector here for one of the source."""
        return {self.origin(origin): seq for origin, seq in vector.items()}

    def back(self, vector: Vector) -> Vector:
        """Return the part of our vector that concerns the source, with the source's origins."""
        found: Vector = {}
        for origin, seq in vector.items():
            place = self.places.get(region_of(origin))
            if place is not None:
                found[place << INCARNATION_BITS | origin & INCARNATION_MAX] = seq
        return found

    # -- ops -------------------------------------------------------------------------------

    def op(self, op: Op) -> Op:
        """Return an op of the source with origins of this database."""
        origin = self.origin(op.origin)
        if self.identical:
            return op
        effects = tuple(map(self.effect, op.effects))
        deps = self.vector(op.deps)
        if origin == op.origin and effects == op.effects and deps == op.deps:
            return op
        return Op(
            origin, op.first, op.base, deps, effects, FRAGMENT
        )  # other bytes than its origin's

    def effect(self, effect: Effect) -> Effect:
        """Return an effect of the source with origins of this database. Raises DecodeError if the
        types do not accept it."""
        self.types.check_effect(effect)
        code: int = effect[0]
        operation: int = effect[1]
        definition = self.types.by_code.get(code)
        if code != ANY_TYPE and (definition is None or definition.rename_origins is None):
            raise CannotRename(f"effects of type {code} cannot be followed under other names")
        if definition is not None and definition.rename_effect is not None:
            return definition.rename_effect(effect, self)
        shape = self.types.shapes[code, operation]
        if not holds_origins(shape):
            return effect
        items: list[Any] = list(effect)
        fixed, repeated, optional = shape
        later = repeated or optional  # no operation has both
        for index in range(PREFIX_ITEMS, len(items)):
            place = index - PREFIX_ITEMS - len(fixed)
            check = fixed[index - PREFIX_ITEMS] if place < 0 else later[place % len(later)]
            if check in ORIGIN_ITEMS:
                items[index] = self.item(check, items[index])
        return tuple(items)

    def item(self, check: Check, item: Any) -> Any:
        """Rename the origins in an item of an effect. Its `check` tells where they are."""
        if check == is_carried:
            return tuple(self.carried(part) for part in item)
        if check == is_dot:
            return self.dot(item)
        return self.resets(item) if check == are_resets else renamed_position(item, self)

    def carried(self, part: Any) -> Any:
        """Rename an item of a delete: a type code, resets, or fields and their resets."""
        if type(part) is int:
            return part
        if part and type(part[0]) is bytes:
            return tuple(each if type(each) is bytes else self.resets(each) for each in part)
        return self.resets(part)

    def resets(self, flat: tuple[Any, ...]) -> tuple[Any, ...]:
        """Rename the origins of resets: origin, birth, seq and sum of some shares."""
        return tuple(
            self.origin(item) if index % 4 == 0 else item for index, item in enumerate(flat)
        )

    # -- state -----------------------------------------------------------------------------

    def snapshot(self, incoming: Incoming) -> None:
        """Rename the origins in a complete snapshot of the source. O(its size)."""
        incoming.vector = self.vector(incoming.vector)
        if self.identical:
            return
        incoming.trails = {}  # renamed operations are other bytes
        contexts = incoming.contexts.items()
        incoming.contexts = {self.origin(origin): self.vector(seen) for origin, seen in contexts}
        for key in incoming.values:
            self.value(incoming.values[key])
        for key, deadlines in incoming.deadlines.items():
            incoming.deadlines[key] = tuple(
                item if index % 2 else self.dot(item) for index, item in enumerate(deadlines)
            )

    def value(self, value: Value) -> None:
        """Rename the dots of a value."""
        if isinstance(value, Contested):
            for part in value.values():
                self.value(part)
            return
        definition = self.types.by_code.get(value.code())
        if definition is None or definition.rename_origins is None:
            raise CannotRename(f"{type(value).__name__} cannot be followed under other names")
        definition.rename_origins(value, self)


def blocks(own: int, count: int) -> list[OriginMap]:
    """Return blocks of region numbers for `count` sources, for a follower that is region `own`.

    >>> [block.numbers[:2] for block in blocks(1, 2)]
    [(2, 3), (129, 130)]
    """
    free = [number for number in range(1, 256) if number != own]
    width = len(free) // count
    return [OriginMap(free[index * width : (index + 1) * width]) for index in range(count)]
