"""The definition of a replicated type: all that the rest of the project knows about it.

Each module of a type defines its type once. `crdt.types.registry` collects the definitions. The
check of effects that come from elsewhere, the keyspace, the renaming of origins, and the commands
that serve every type read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import attrs

from crdt.causality.dots import Dot, Origin
from crdt.causality.schema import Check, Shape, are_resets, is_carried, is_place, is_position
from crdt.types.base import Value

OPERATION_BITS: Final = 4
"""An effect's kind is `code << OPERATION_BITS | operation`."""
ORIGIN_ITEMS: Final = frozenset({are_resets, is_carried, is_place, is_position})
"""The items of effects that hold origins, by their checks."""


class OriginNames(Protocol):
    """The names that another database's origins have here."""

    def origin(self, origin: Origin) -> Origin:
        """Return the name of an origin."""
        ...

    def dot(self, dot: Dot) -> Dot:
        """Return the name of a dot; 0 stays 0."""
        ...


@attrs.frozen
class Operation:
    """The effects of one operation of a type: their form, and their meaning for the key.

    An effect is `(kind, key, *items, *repeated...)`. Each of these is a check that the item at its
    place must pass. `optional` items stand at the end, all or none of them, and only where no items
    repeat.
    """

    name: str
    items: tuple[Check, ...] = ()
    repeated: tuple[Check, ...] = ()
    optional: tuple[Check, ...] = ()
    ends_ttl: bool = False
    """True if the effect ends the key's time to live."""
    is_change_if_seen: bool = False
    """True if a local effect counts as a change for watchers only if readers see a difference, as
    for adding or removing members. Every other local effect is a change in any case."""

    def shape(self) -> Shape:
        """Return the form of the effects, as `crdt.causality.schema` checks it."""
        return self.items, self.repeated, self.optional


def existence(shown: Any) -> frozenset[bytes]:
    """Return the only element of a value that has no parts."""
    return frozenset((b"",))


@attrs.frozen
class TypeDefinition:
    """A replicated type."""

    name: str
    code: int
    """The number of the type in effects and snapshots."""
    make: Callable[[], Value]
    """Returns an empty value."""
    operations: tuple[Operation, ...]
    """The operations by number, from 0."""
    redis_name: bytes | None = None
    """The reply of TYPE. None if no command of Redis serves the type."""
    rename_origins: Callable[[Any, OriginNames], None] | None = None
    """Renames all origins in a value. None if the type cannot be followed under other names."""
    elements: Callable[[Any], frozenset[bytes]] = existence
    """Returns the members, fields or list items in what readers see (`Value.visible`)."""
    content: Callable[[Any], list[Any]] | None = None
    """Returns all that readers see, in the form that the type's write function takes. None if the
    type cannot be copied."""

    def kind(self, operation: int) -> int:
        """Return the first item of the effects of an operation."""
        return self.code << OPERATION_BITS | operation

    def kinds(self) -> dict[int, Operation]:
        """Return the operations by the first item of their effects."""
        return {self.kind(number): each for number, each in enumerate(self.operations)}


def holds_origins(shape: Shape) -> bool:
    """Return whether effects of this form hold origins."""
    return not ORIGIN_ITEMS.isdisjoint(check for part in shape for check in part)


def renamed_position(position: tuple[int, ...], names: OriginNames) -> tuple[int, ...]:
    """Return a position of a list with its origins renamed."""
    return tuple(
        [names.origin(item) if index % 4 == 1 else item for index, item in enumerate(position)]
    )
