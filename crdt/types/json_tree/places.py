"""Places in a JSON document, as readers see it.

A place is a value with the way to it from the root. Walks create one for each value that they
visit, and change nothing. A place holds until the document changes. Its addresses hold as long as
what they name exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot
from crdt.structures.runs import INDEX_BITS, Key, Run
from crdt.types.components.list_elements import position_of
from crdt.types.components.run_tree import element_dot
from crdt.types.json import JsonDocument
from crdt.types.json_tree.addresses import INHERITED, Address, Step
from crdt.types.json_tree.nodes import (
    MISSING,
    JsonArray,
    JsonLeaf,
    JsonObject,
    Slot,
    is_node,
    plain_of,
    shown_in,
)
from crdt.types.json_tree.sums import total
from crdt.types.json_tree.texts import is_array, is_object

WALKED: Final = 500
"""The elements of an array that a walk takes at once."""
KINDS: Final[dict[object, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
"""The names of the types of values, as JSON.TYPE replies them."""


class JsonPlace:
    """A value in a document and the way to it.

    `value` is a plain value, or a `JsonObject` or `JsonArray`. `held` is what the slot shows: the
    same, or the leaf around it.
    """

    __slots__ = ("dot", "held", "index", "inherited", "key", "name", "parent", "run", "value")

    def __init__(self, parent: JsonPlace | None, slot: Slot, inherited: Dot) -> None:
        held: Any = shown_in(slot)
        self.parent: JsonPlace | None = parent
        self.held: Any = held
        self.inherited: Dot = inherited
        self.dot: Dot = held.dot if is_node(held) else inherited
        self.value: Any = held
        if isinstance(held, JsonLeaf):
            self.value = total(held.value, held.sums) if held.sums else held.value
        self.name: str = ""
        """The name of a member of an object."""
        self.index: int = -1
        """The index of an element of an array; -1 for a member."""
        self.run: Run | None = None
        self.key: Key = 0
        """The position of an element of an edited array."""

    def kind(self) -> str:
        """Return the type of the value, as JSON.TYPE names it."""
        if isinstance(self.value, JsonObject):
            return "object"
        return "array" if isinstance(self.value, JsonArray) else KINDS[type(self.value)]

    def plain(self) -> Any:
        """Return the plain value that readers see here. It must not be changed."""
        return plain_of(self.value)

    def size(self) -> int:
        """Return the number of members or elements of a container."""
        value = self.value
        if isinstance(value, JsonObject):
            return len(value.fields)
        return value.length() if isinstance(value, JsonArray) else len(value)

    def steps(self) -> list[str | int]:
        """Return the names and indexes that lead here from the root."""
        found: list[str | int] = []
        place: JsonPlace = self
        while place.parent is not None:
            found.append(place.name if place.index < 0 else place.index)
            place = place.parent
        return found[::-1]

    # -- going down ------------------------------------------------------------------------

    def members(self) -> dict[str, Slot]:
        """Return the slots of an object by name; none for another value."""
        value = self.value
        if isinstance(value, JsonObject):
            return value.fields
        return value if is_object(value) else {}

    def member(self, name: str) -> JsonPlace | None:
        """Return the member of an object, or None."""
        slot = self.members().get(name, MISSING)
        return None if slot is MISSING else self.named(name, slot)

    def named(self, name: str, slot: Slot) -> JsonPlace:
        """Return the place of a member."""
        place = JsonPlace(self, slot, self.dot)
        place.name = name
        return place

    def element(self, index: int) -> JsonPlace | None:
        """Return the element of an array, or None. A negative index counts from the end."""
        value = self.value
        if is_array(value):
            at = index if index >= 0 else index + len(value)
            return self.indexed(at, value[at]) if 0 <= at < len(value) else None
        if not isinstance(value, JsonArray):
            return None
        at = index if index >= 0 else index + value.length()
        if not 0 <= at < value.length():
            return None
        part = value.items.slice(at, at + 1)
        return self.placed(at, part.things[0], part.runs[0], part.keys[0])

    def indexed(self, index: int, value: Any) -> JsonPlace:
        """Return the place of an element of an array that was not edited."""
        place = JsonPlace(self, value, self.dot)
        place.index = index
        return place

    def placed(self, index: int, slot: Slot, run: Run, key: Key) -> JsonPlace:
        """Return the place of an element of an array that was edited."""
        place = JsonPlace(self, slot, element_dot(run.dot, key))
        place.index, place.run, place.key = index, run, key
        return place

    def children(self) -> Iterator[JsonPlace]:
        """Yield the places of all members or elements; none for a scalar."""
        value = self.value
        if is_array(value):
            for index, each in enumerate(value):
                yield self.indexed(index, each)
        elif isinstance(value, JsonArray):
            for start in range(0, value.length(), WALKED):
                part = value.items.slice(start, start + WALKED)
                for at, slot in enumerate(part.things):
                    yield self.placed(start + at, slot, part.runs[at], part.keys[at])
        else:
            for name, slot in self.members().items():
                yield self.named(name, slot)

    # -- addresses -------------------------------------------------------------------------

    def step(self) -> Step:
        """Return the step of an address that leads here from the parent."""
        if self.index < 0:
            return self.name.encode()
        if self.run is not None:
            return position_of(self.run, self.key)
        assert self.parent is not None
        dot = self.parent.dot
        key = (dot & SEQ_MAX) << INDEX_BITS | self.index
        return 0, dot >> SEQ_BITS << SEQ_BITS, key

    def slot_address(self) -> Address:
        """Return the address of the slot."""
        if self.parent is None:
            return ()
        return (*self.parent.node_address(), self.step())

    def node_address(self) -> Address:
        """Return the address of the node that readers see here."""
        if self.parent is None:
            return (self.dot,)
        dot = INHERITED if self.dot == self.inherited else self.dot
        return (*self.slot_address(), dot)


def root_of(document: JsonDocument) -> JsonPlace:
    """Return the place of the root of a document, which is live."""
    return JsonPlace(None, document.root(), 0)
