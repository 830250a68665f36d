"""Renaming of the origins in a JSON document, for followers that read under other names."""

from __future__ import annotations

from crdt.types.definition import OriginNames
from crdt.types.json_tree.nodes import (
    JsonArray,
    JsonLeaf,
    JsonNode,
    JsonObject,
    Slot,
    has_siblings,
    is_node,
)


def rename_node(node: JsonNode, names: OriginNames) -> None:
    """Rename the origins in a node and below it."""
    node.dot = names.dot(node.dot)
    if isinstance(node, JsonLeaf):
        node.sums = tuple(
            sorted([(names.origin(origin), seq, amount) for origin, seq, amount in node.sums])
        )
    elif isinstance(node, JsonObject):
        for slot in node.fields.values():
            rename_slot(slot, names)
    else:
        rename_array(node, names)


def rename_slot(slot: Slot, names: OriginNames) -> None:
    """Rename the origins in a slot. A plain value has none."""
    if has_siblings(slot):
        for node in slot:
            rename_node(node, names)
    elif is_node(slot):
        rename_node(slot, names)


def rename_array(array: JsonArray, names: OriginNames) -> None:
    """Rename the runs of an array, which stay in order, and its elements."""
    whole = array.items.slice(0, array.items.size)
    runs = {id(run): run for run in whole.runs}
    if array.tree is not None:
        runs.update({id(run): run for run in array.tree.all_runs()})
    for run in runs.values():
        run.dot = names.dot(run.dot)
        run.removed = tuple(sorted([names.dot(dot) for dot in run.removed]))
    if array.tree is not None:
        array.tree.name_again()
    for slot in whole.things:
        rename_slot(slot, names)
