"""The definition of a replicated type: all that the rest of the project knows about it.

Each module of a type defines its type once. A class that an application brings gets a definition
too (`crdt.types.custom`). `crdt.types.registry` collects the definitions. The check of effects that
come from elsewhere, the keyspace, snapshots, the renaming of origins, and the commands that serve
every type read them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import attrs

from crdt.causality.dots import Dot, Origin
from crdt.causality.effect import Effect
from crdt.causality.schema import (
    OPERATIONS_PER_VERSION,
    Check,
    Kind,
    Shape,
    are_resets,
    is_carried,
    is_dot,
    is_place,
    is_position,
    is_span,
)
from crdt.types.base import Value

NO_LIMITS: Final[Mapping[str, int]] = {}
ORIGIN_ITEMS: Final = frozenset({are_resets, is_carried, is_dot, is_place, is_position, is_span})
"""The items of effects that hold origins, by their checks."""


class OriginNames(Protocol):
    """The names that another database's origins have here."""

    def origin(self, origin: Origin) -> Origin:
        """Return the name of an origin."""
        ...

    def dot(self, dot: Dot) -> Dot:
        """Return the name of a dot; 0 stays 0."""
        ...


class SpellingForm(enum.Enum):
    """The place of a command's arguments in an effect `(code, operation, key, *items)`."""

    VALUE = "value"
    """The new value follows the stamp."""
    EDIT = "edit"
    """A place and the bytes that are written there follow the stamp, and then perhaps the value
    that is edited."""
    PAIRS = "pairs"
    """Names and values in turn follow the stamp."""
    PAIR = "pair"
    """A name and a value after the stamp, and then resets."""
    SUM = "sum"
    """The new sum of an increment is last, its birth before it, and before that perhaps a name."""
    NAMES = "names"
    """All items are names or numbers."""
    NAME = "name"
    """The first item is a name."""
    ELEMENTS = "elements"
    """Elements of a list follow the three items that place them."""
    POSITION = "position"
    """The position of a list's element, and its new value, follow the stamp."""
    SPANS = "spans"
    """All items are spans of a list's elements."""


@attrs.frozen
class Spelling:
    """The command that an effect stands for, as specifications and reports write it."""

    command: str
    form: SpellingForm


@attrs.frozen
class Operation:
    """The effects of one operation of a type: their form, and their meaning for the key.

    An effect is `(code, operation, key, *items, *repeated...)`. Each of these is a check that the
    item at its place must pass. `optional` items stand at the end, all or none of them, and only
    where no items repeat.
    """

    name: str
    items: tuple[Check, ...] = ()
    repeated: tuple[Check, ...] = ()
    optional: tuple[Check, ...] = ()
    is_assignment: bool = False
    """True if the effect `(code, operation, key, stamp, value[, resets])` writes the whole value,
    which is a byte string. A later assignment may take its place while it is in the outbox. Only
    the plain type has such operations."""
    is_edit: bool = False
    """True if the effect `(code, operation, key, stamp, offset, patch[, value])` writes the whole
    value, but carries only what is different from the origin's previous write, or from `value`. A
    later edit may be joined to it while it is in the outbox. Only the plain type has such
    operations."""
    ends_ttl: bool = False
    """True if the effect, an assignment, ends the key's time to live."""
    is_change_if_seen: bool = False
    """True if a local effect counts as a change for watchers only if readers see a difference, as
    for adding or removing members. Every other local effect is a change in any case."""
    serves_waiters: bool = False
    """True if a client that waits for an element can be served by the effect. So a replica makes it
    without a command of its own."""

    spelling: Spelling | None = None
    """The command that the effect stands for. None if no command of Redis makes the effect."""

    def shape(self) -> Shape:
        """Return the form of the effects, as `crdt.causality.schema` checks it."""
        return self.items, self.repeated, self.optional


def existence(shown: Any) -> frozenset[bytes]:
    """Return the only element of a value that has no parts."""
    return frozenset((b"",))


@attrs.frozen
class TextForm:
    """The text of a value in the reports of the simulator, such as `(ann 3, bob 5)`."""

    brackets: str
    """The opening and the closing bracket."""
    pair: str = ""
    """The text between a name and its value, if readers see pairs."""
    is_by_value: bool = False
    """True if pairs are sorted by their values."""


@attrs.frozen
class TypeDefinition:
    """A replicated type."""

    name: str
    """The name in reports and specifications."""
    code: int
    """The number of the type in effects and snapshots."""
    make: Callable[[], Value]
    """Returns an empty value."""
    operations: tuple[Operation, ...] = ()
    """The operations by number, from 0."""
    operations_version: tuple[str, int] | None = None
    """The name and version of a form that operations hold, if it has a version of its own:
    operation = 16 * (version - 1) + 0 to 15."""
    check_effect: Callable[[Effect], None] | None = None
    """Raises DecodeError at a payload that the type does not take. For types without declared
    operations."""
    is_plain: bool = False
    """True if values are registers that snapshots write in columns while they hold one write only,
    and whose assignments may end a time to live. At most one type of a registry is plain."""
    make_divided: Callable[[int], Value] | None = None
    """Returns an empty value whose blocks hold at most so many elements. None if the type has no
    blocks."""
    redis_name: bytes | None = None
    """The reply of TYPE. None if no command of Redis serves the type."""
    encoding: Callable[[Any, Mapping[str, int]], bytes] | None = None
    """Returns the reply of OBJECT ENCODING under the limits in force, by parameter."""
    encoding_limits: Mapping[str, int] = NO_LIMITS
    """The parameters of Redis that `encoding` reads, with their defaults."""
    rename_origins: Callable[[Any, OriginNames], None] | None = None
    """Renames all origins in a value. None if the type cannot be followed under other names."""
    rename_effect: Callable[[Effect, OriginNames], Effect] | None = None
    """Returns an effect with its origins renamed. For types without declared operations."""
    elements: Callable[[Any], frozenset[bytes]] = existence
    """Returns the members, fields or list items in what readers see (`Value.visible`)."""
    has_positions: bool = False
    """True if elements have positions, which never change places."""
    is_ordered: bool = False
    """True if `Value.sequence` returns the elements in an order of their own."""
    content: Callable[[Any], list[Any]] | None = None
    """Returns all that readers see, in the form that the type's write function takes. None if the
    type cannot be copied."""
    content_size: Callable[[Any], int] | None = None
    """Returns the number of elements of a value. None if the type is not a collection."""
    content_pieces: Callable[[Any, int], Iterator[list[Any]]] | None = None
    """Yields the same as `content`, about so many elements at a time. None if the type is not a
    collection."""
    text_form: TextForm | None = None
    """The text of a value in reports. None for the value itself."""

    def kinds(self) -> dict[Kind, Operation]:
        """Return the operations by the first two items of their effects."""
        version = 1 if self.operations_version is None else self.operations_version[1]
        first = OPERATIONS_PER_VERSION * (version - 1)
        return {(self.code, number): each for number, each in enumerate(self.operations, first)}


def holds_origins(shape: Shape) -> bool:
    """Return whether effects of this form hold origins."""
    return not ORIGIN_ITEMS.isdisjoint(check for part in shape for check in part)


def renamed_position(position: tuple[int, ...], names: OriginNames) -> tuple[int, ...]:
    """Return a place, position or span of a list with its origin renamed."""
    if not position:
        return position
    return (position[0], names.dot(position[1]), *position[2:])


def are_short(items: Iterable[bytes], bytes_max: int) -> bool:
    """Return whether no item is longer than `bytes_max`. Redis packs such collections."""
    return all(len(item) <= bytes_max for item in items)
