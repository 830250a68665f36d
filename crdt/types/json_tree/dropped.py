"""Removed parts of JSON documents, which are freed in slices."""

from __future__ import annotations

from typing import Any, Final

from crdt.types.json_tree.nodes import JsonArray, JsonLeaf, JsonNode, JsonObject, is_node
from crdt.types.json_tree.texts import is_array, is_object

FREED_IN_SLICE: Final = 5000
"""The values that a slice frees."""


class DroppedNodes:
    """Nodes and values that are not needed any more. The outer ones are taken apart first."""

    __slots__ = ("stack",)

    def __init__(self, nodes: list[JsonNode]) -> None:
        self.stack: list[Any] = list(nodes)

    def free_slice(self) -> bool:
        """Free some of the content. Return whether there is more."""
        budget = FREED_IN_SLICE
        while self.stack and budget > 0:
            held = self.stack[len(self.stack) - 1]
            if is_array(held):
                budget -= self.take_from_list(held)
            elif is_object(held):
                budget -= self.take_from_dict(held)
            else:
                self.stack.pop()
                self.open(held)
                budget -= 1
        return len(self.stack) > 0

    def take_from_list(self, held: list[Any]) -> int:
        """Free some elements at the end of a list, or the list if it is empty. Return how many."""
        if not held:
            self.stack.pop()
            return 1
        part = held[-FREED_IN_SLICE:]
        del held[-FREED_IN_SLICE:]
        self.stack += [each for each in part if is_large(each)]
        return len(part)

    def take_from_dict(self, held: dict[Any, Any]) -> int:
        """Free some members of a dictionary, or the dictionary if it is empty. Return how many."""
        if not held:
            self.stack.pop()
            return 1
        part = [held.popitem()[1] for _ in range(min(len(held), FREED_IN_SLICE))]
        self.stack += [each for each in part if is_large(each)]
        return len(part)

    def open(self, held: Any) -> None:
        """Put what a node holds on the stack."""
        if isinstance(held, JsonLeaf):
            if is_array(held.value) or is_object(held.value):
                self.stack.append(held.value)
        elif isinstance(held, JsonObject):
            self.stack.append(held.fields)
        elif isinstance(held, JsonArray):
            self.stack.append(
                [block.things for group in held.items.groups for block in group.blocks]
            )
        elif type(held) is tuple:
            self.stack += held


def is_large(held: Any) -> bool:
    """Return whether something that was removed may hold more values."""
    return type(held) in (list, dict, tuple) or is_node(held)


def arrays_below(node: JsonNode) -> list[JsonArray]:
    """Return the edited arrays in a node, itself included. O(members of edited containers)."""
    found: list[JsonArray] = []
    stack: list[Any] = [node]
    while stack:
        held = stack.pop()
        if isinstance(held, JsonArray):
            found.append(held)
            stack += [
                each for each in held.items.slice_things(0, held.items.size) if is_edited(each)
            ]
        elif isinstance(held, JsonObject):
            stack += [each for each in held.fields.values() if is_edited(each)]
        elif type(held) is tuple:
            stack += held
    return found


def is_edited(slot: Any) -> bool:
    """Return whether a slot may hold edited containers."""
    return type(slot) is tuple or is_node(slot)
