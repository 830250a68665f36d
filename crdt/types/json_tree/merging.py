"""Merging of two copies of a JSON document.

A node that both copies hold is merged: its members, elements and increments. A node that one holds
is kept if the other's vector has not seen it, with everything in it. What the other has seen and
does not hold was removed or replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers
from crdt.structures.blocks import Blocks
from crdt.structures.runs import Run
from crdt.types.components.list_elements import Cursor, which_first
from crdt.types.components.run_tree import element_dot, is_top
from crdt.types.json_tree.nodes import (
    MISSING,
    JsonArray,
    JsonLeaf,
    JsonNode,
    JsonObject,
    Slot,
    dot_of,
    has_siblings,
    is_node,
    nodes_in,
    slot_of,
    unfolded,
)
from crdt.types.json_tree.sums import merged_sums

MERGED_IN_SLICE: Final = 500
"""The slots that a slice of a merge visits."""


class Merge:
    """One merge, with the vectors of both copies."""

    __slots__ = ("mine", "theirs", "visited")

    def __init__(self, mine: Vector, theirs: Vector) -> None:
        self.mine: Vector = mine
        self.theirs: Vector = theirs
        self.visited: int = 0
        """The slots that were visited since the last pause."""

    def join(
        self, ours: list[JsonNode], others: list[JsonNode], result: list[JsonNode]
    ) -> Iterator[None]:
        """Append the join of the nodes of one slot to `result`, by dot. Yield between slices."""
        given = {node.dot: node for node in others}
        for node in ours:
            twin = given.pop(node.dot, None)
            if twin is not None:
                kept: list[JsonNode] = []
                yield from self.join_twins(node, twin, kept)
                result += kept
            elif not covers(self.theirs, node.dot):
                result.append(node)
        result += [node for dot, node in given.items() if not covers(self.mine, dot)]
        result.sort(key=dot_of)

    def join_twins(self, ours: JsonNode, other: JsonNode, result: list[JsonNode]) -> Iterator[None]:
        """Append the join of two copies of one node to `result`."""
        if isinstance(ours, JsonLeaf) and isinstance(other, JsonLeaf):
            ours.sums = merged_sums(ours.sums, other.sums)
            if is_same_value(ours.value, other.value):
                result.append(ours)
                return
        left, right = unfolded(ours), unfolded(other)
        if isinstance(left, JsonObject) and isinstance(right, JsonObject):
            yield from self.join_objects(left, right)
        elif isinstance(left, JsonArray) and isinstance(right, JsonArray):
            yield from self.join_arrays(left, right)
        result.append(left)

    def join_slots(
        self, ours: Slot, other: Slot, inherited: Dot, result: list[Slot]
    ) -> Iterator[None]:
        """Append the join of two copies of one slot to `result`, unless nothing is left."""
        self.visited += 1
        if self.visited >= MERGED_IN_SLICE:
            self.visited = 0
            yield
        if ours is not MISSING and other is not MISSING and is_same_plain(ours, other):
            result.append(ours)
            return
        nodes: list[JsonNode] = []
        yield from self.join(nodes_in(ours, inherited), nodes_in(other, inherited), nodes)
        slot = slot_of(nodes, inherited)
        if slot is not MISSING:
            result.append(slot)

    def join_objects(self, ours: JsonObject, other: JsonObject) -> Iterator[None]:
        """Merge the members of two copies of an object into ours."""
        fields, given = ours.fields, other.fields
        for name in [*fields, *[name for name in given if name not in fields]]:
            kept: list[Slot] = []
            yield from self.join_slots(
                fields.get(name, MISSING), given.get(name, MISSING), ours.dot, kept
            )
            if kept:
                fields[name] = kept[0]
            elif name in fields:
                del fields[name]

    def join_arrays(self, array: JsonArray, other: JsonArray) -> Iterator[None]:
        """Merge the elements of two copies of an array into ours."""
        if other.tree is not None:
            array.middle().take_over(other.tree)
        if array.tree is not None:
            array.tree.clear()
        ours, given = Cursor(array.items), Cursor(other.items)
        array.items = Blocks(array.items.block_max, array.items.group_max)
        while not (ours.is_at_end() and given.is_at_end()):
            run: Run | None = None
            if not given.is_at_end():
                run = given.run()
                if not is_top(run.dot):
                    run = array.middle().find(run.dot)
            side = which_first(ours, run, given)
            held: Any = ours.thing() if side <= 0 else MISSING
            copy: Any = given.thing() if side >= 0 else MISSING
            key = ours.key() if side <= 0 else given.key()
            if side <= 0:
                run = ours.run()
            assert run is not None
            kept: list[Slot] = []
            yield from self.join_slots(held, copy, element_dot(run.dot, key), kept)
            if kept and array.items.put(run, key, kept[0]):
                array.count_in(run)
            if side <= 0:
                ours.advance()
            if side >= 0:
                given.advance()


def is_same_plain(ours: Slot, other: Slot) -> bool:
    """Return whether two copies of a slot hold the same plain value, which one effect wrote."""
    if is_node(ours) or is_node(other) or has_siblings(ours) or has_siblings(other):
        return False
    return is_same_value(ours, other)


def is_same_value(ours: Any, other: Any) -> bool:
    """Return whether two plain values, which one effect has written, are the same. One of them may
    lack members that were removed. Equal ones have equal types then."""
    return bool(ours == other)
