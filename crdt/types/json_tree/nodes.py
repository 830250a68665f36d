"""The nodes of a JSON document.

A *slot* is a place for a value: the root, a member of an object, an element of an array. Each write
of a slot makes a new *node*, named by the dot of its effect. A later write replaces the nodes that
it has observed. Nodes that were written concurrently share the slot, and readers see the one with
the lowest origin (rules JSN-1, JSN-2, JSN-6). Whatever is written below a node belongs to it, and
goes with it.

Most of a document is never edited. So a value stays as it was parsed (`crdt.types.json_tree.texts`)
until an effect changes something in it: only the containers on the way to the change become nodes.
The content of a slot is one of these:

* a plain value, whose dot is *inherited*. A member inherits the dot of its object. An element
  inherits the dot of the effect that inserted it, which its position holds.
* a node of the classes below.
* a tuple of several nodes, by dot: siblings.

A leaf never has the inherited dot of its slot, unless it has increments: `settled` makes it a plain
value, so that equal content has equal form.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot
from crdt.structures.blocks import NOWHERE, Block, Group
from crdt.structures.runs import INDEX_BITS, Run
from crdt.types.components.element_sequence import ElementSequence
from crdt.types.components.run_tree import element_dot, is_top
from crdt.types.json_tree.sums import Sums, total
from crdt.types.json_tree.texts import is_array, is_object

Slot: TypeAlias = Any
"""A plain value, a node or a tuple of nodes."""


class JsonLeaf:
    """A node with a plain value, which may be a container, and perhaps increments."""

    __slots__ = ("dot", "sums", "value")

    def __init__(self, dot: Dot, value: Any) -> None:
        self.dot: Dot = dot
        self.value: Any = value
        self.sums: Sums = ()
        """The sum that each origin has added to a number (rule JSN-12)."""


class JsonObject:
    """An object that was edited: the slots of its members by name."""

    __slots__ = ("dot", "fields")

    def __init__(self, dot: Dot, fields: dict[str, Slot]) -> None:
        self.dot: Dot = dot
        self.fields: dict[str, Slot] = fields


class JsonArray(ElementSequence):
    """An array that was edited: its slots in order, placed as the elements of lists are."""

    __slots__ = ("dot",)

    def __init__(self, dot: Dot) -> None:
        super().__init__()
        self.dot: Dot = dot

    def count_in(self, run: Run) -> None:
        """Count an element that was put, if its run is one in the middle."""
        if not is_top(run.dot):
            self.middle().count(run, 1)


JsonNode: TypeAlias = JsonLeaf | JsonObject | JsonArray
"""The value that one write of a slot has made, with all later changes inside it."""
MISSING: Final = object()
"""Stands for a member or an element that does not exist. None is a value."""


def is_node(slot: Slot) -> bool:
    """Return whether a slot holds exactly one node."""
    return isinstance(slot, (JsonLeaf, JsonObject, JsonArray))


def has_siblings(slot: Slot) -> bool:
    """Return whether a slot holds several nodes."""
    return type(slot) is tuple


def shown_in(slot: Slot) -> Any:
    """Return what readers see in a slot: a plain value, or a node."""
    return slot[0] if has_siblings(slot) else slot


def nodes_in(slot: Slot, inherited: Dot) -> list[JsonNode]:
    """Return the nodes in a slot, by dot. A plain value counts as a leaf."""
    if slot is MISSING:
        return []
    if has_siblings(slot):
        return list(slot)
    return [slot] if is_node(slot) else [JsonLeaf(inherited, slot)]


def slot_of(nodes: list[JsonNode], inherited: Dot) -> Slot:
    """Return the content of a slot with these nodes, MISSING for none."""
    if not nodes:
        return MISSING
    if len(nodes) == 1:
        return settled(nodes[0], inherited)
    nodes.sort(key=dot_of)
    return tuple(nodes)


def settled(node: JsonNode, inherited: Dot) -> Slot:
    """Return the content of a slot with one node."""
    if isinstance(node, JsonLeaf) and node.dot == inherited and not node.sums:
        return node.value
    return node


def dot_of(node: JsonNode) -> Dot:
    """Sorts nodes. The lowest origin comes first."""
    return node.dot


def unfolded(node: JsonNode) -> JsonNode:
    """Return a node whose members or elements can be changed. Other nodes than containers are
    returned as they are. The members of an object are taken over, not copied."""
    if isinstance(node, JsonLeaf):
        if is_object(node.value):
            return JsonObject(node.dot, node.value)
        if is_array(node.value):
            return array_of(node.dot, node.value)
    return node


def array_of(dot: Dot, values: list[Any]) -> JsonArray:
    """Return an array as the effect `dot` has written it. O(length)."""
    array = JsonArray(dot)
    items = array.items
    run = Run(None, 0, 0, dot >> SEQ_BITS << SEQ_BITS)
    first = (dot & SEQ_MAX) << INDEX_BITS
    groups: list[Group] = []
    for start in range(0, len(values), items.block_max):
        things = values[start : start + items.block_max]
        keys = list(range(first + start, first + start + len(things)))
        if not groups or len(groups[len(groups) - 1].blocks) == items.group_max:
            groups.append(Group([], 0))
        group = groups[len(groups) - 1]
        group.blocks.append(Block([run] * len(things), keys, things))
        group.size += len(things)
    items.groups = groups
    items.size = len(values)
    return array


def values_of(node: JsonNode) -> Any:
    """Return the plain value that readers see in a node. It shares the parts that were not edited,
    so it must not be changed. O(size of the edited containers)."""
    if isinstance(node, JsonLeaf):
        return node.value if not node.sums else total(node.value, node.sums)
    if isinstance(node, JsonObject):
        return {name: plain_of(slot) for name, slot in node.fields.items()}
    return [plain_of(slot) for slot in node.items.slice_things(0, node.items.size)]


def plain_of(slot: Slot) -> Any:
    """Return the plain value that readers see in a slot. See `values_of`."""
    shown = shown_in(slot)
    return values_of(shown) if is_node(shown) else shown


def open_below(node: JsonNode, step: Any, dot: Dot) -> JsonNode | None:
    """Return a node in a slot of a container, ready to be changed; None if it does not exist.
    `step` leads to the slot. `dot` names the node there, 0 stands for the inherited dot."""
    if isinstance(node, JsonObject) and type(step) is bytes:
        name = step.decode()
        slot = node.fields.get(name, MISSING)
        opened, changed = opened_in(slot, node.dot, dot or node.dot)
        if changed is not slot:
            node.fields[name] = changed
        return opened
    if isinstance(node, JsonArray) and not isinstance(step, bytes):
        run = node.run_of(step)
        place = NOWHERE if run is None else node.items.find(run, step[2])
        if place[0] >= 0:
            slot = node.items.thing(place)
            inherited = element_dot(step[1], step[2])
            opened, changed = opened_in(slot, inherited, dot or inherited)
            if changed is not slot:
                node.items.replace(place, changed)
            return opened
    return None


def opened_in(slot: Slot, inherited: Dot, dot: Dot) -> tuple[JsonNode | None, Slot]:
    """Return the node of a slot with this dot, ready to be changed, or None; and the slot that
    holds it."""
    nodes = nodes_in(slot, inherited)
    for index, node in enumerate(nodes):
        if node.dot == dot:
            opened = unfolded(node)
            if slot is not opened:
                nodes[index] = opened
                slot = tuple(nodes) if len(nodes) > 1 else opened
            return opened, slot
    return None, slot
