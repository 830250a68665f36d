"""Changes of the elements of JSON arrays.

Elements are placed as those of lists are (`crdt.types.list`): elements that regions insert
concurrently at one place stay together, those of the lower region first (rule JSN-9). What the
functions here remove is returned, since it may hold other arrays that its document keeps note of.
"""

from __future__ import annotations

from typing import Any

from crdt.causality.dots import SEQ_MAX, Dot
from crdt.causality.observed import Observed
from crdt.structures.blocks import Blocks, Place
from crdt.structures.runs import INDEX_BITS
from crdt.types.components.list_elements import Position, Span, key_in
from crdt.types.components.run_tree import element_dot, is_top
from crdt.types.json_tree.nodes import JsonArray, JsonNode, nodes_in, slot_of

Insertion = tuple[tuple[int, ...], int, int]
"""The place, the k and the sign of an insertion, as in effects of lists."""


def insert_elements(array: JsonArray, place: Insertion, values: list[Any], dot: Dot) -> None:
    """Insert plain values next to each other, by the effect `dot`."""
    position, k, sign = place
    run = array.run_to_extend(position, k, sign, dot)
    key = (dot & SEQ_MAX) << INDEX_BITS
    count = 0
    for value in values:
        if array.items.put(run, key if sign > 0 else -key, value, sign < 0):
            count += 1
        key += 1
    if not is_top(run.dot):
        array.middle().count(run, count)


def assign_element(
    array: JsonArray, position: Position, node: JsonNode, observed: Observed
) -> list[JsonNode]:
    """Replace the observed content of an element by a node. The element may have been removed
    concurrently: then it exists again. Return what was replaced."""
    run = array.run_of(position)
    if run is None:
        run = array.middle().find(position[1])
    key = position[2]
    inherited = element_dot(run.dot, key)
    place = array.items.find(run, key)
    if place[0] < 0:
        array.items.put(run, key, slot_of([node], inherited))
        array.count_in(run)
        return []
    left, gone = divided(nodes_in(array.items.thing(place), inherited), observed)
    array.items.replace(place, slot_of([*left, node], inherited))
    return gone


def divided(nodes: list[JsonNode], observed: Observed) -> tuple[list[JsonNode], list[JsonNode]]:
    """Return the nodes that an effect had not observed, and those that it had."""
    left: list[JsonNode] = []
    gone: list[JsonNode] = []
    for node in nodes:
        if observed.covers(node.dot):
            gone.append(node)
        else:
            left.append(node)
    return left, gone


def discard_elements(array: JsonArray, span: Span, observed: Observed) -> list[JsonNode]:
    """Remove what was observed of the elements of a span. Return what was removed."""
    run = array.run_of(span)
    if run is None:
        return []
    if not is_top(run.dot):
        array.middle().record_removal(run, observed.dot())
    step, count = (span[3], span[4]) if len(span) == 5 else (1, 1)
    last = span[2] + step * (count - 1)
    gone: list[JsonNode] = []
    key = span[2]
    while key <= last:
        place = array.items.lower_bound(run, key)
        if place[0] < 0:
            break
        block = array.items.block(place)
        if block.holds(place[2], run, key):
            gone += discard_at(array, place, observed)
            key += step
        else:
            behind = key_in(run, block.runs[place[2]], block.keys[place[2]])
            if behind is None:
                break
            key = max(key + step, span[2] + -((span[2] - behind) // step) * step)
    return gone


def discard_at(array: JsonArray, place: Place, observed: Observed) -> list[JsonNode]:
    """Remove what was observed of the element at a place. Return what was removed."""
    items = array.items
    run = items.run(place)
    inherited = element_dot(run.dot, items.key(place))
    left, gone = divided(nodes_in(items.thing(place), inherited), observed)
    if left:
        items.replace(place, slot_of(left, inherited))
    else:
        items.drop(place)
        if not is_top(run.dot):
            array.middle().count(run, -1)
    return gone


def clear_array(array: JsonArray, observed: Observed) -> list[JsonNode]:
    """Remove what was observed of all elements (rule JSN-8). Return what was removed."""
    if array.tree is not None:
        array.tree.record_delete(observed)
    whole = array.items.slice(0, array.items.size)
    gone: list[JsonNode] = []
    if observed.is_local:
        array.items = Blocks(array.items.block_max, array.items.group_max)
        if array.tree is not None:
            array.tree.clear()
        for index, thing in enumerate(whole.things):
            gone += nodes_in(thing, element_dot(whole.runs[index].dot, whole.keys[index]))
        return gone
    for index, run in enumerate(whole.runs):
        gone += discard_at(array, array.items.find(run, whole.keys[index]), observed)
    return gone
