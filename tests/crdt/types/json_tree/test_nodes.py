"""Nodes of JSON documents, and the slots that hold them."""

from __future__ import annotations

from crdt.types.json_tree.nodes import (
    MISSING,
    JsonArray,
    JsonLeaf,
    JsonObject,
    array_of,
    nodes_in,
    open_below,
    plain_of,
    settled,
    slot_of,
    unfolded,
    values_of,
)
from crdt.types.json_tree.sums import added

DOT = 5 << 40 | 1
OTHER = 6 << 40 | 3


def test_slot_is_plain_if_its_node_adds_nothing() -> None:
    assert settled(JsonLeaf(DOT, 7), DOT) == 7
    other = JsonLeaf(OTHER, 7)
    assert settled(other, DOT) is other
    counted = JsonLeaf(DOT, 7)
    counted.sums = added((), 5, 2, 3)
    assert settled(counted, DOT) is counted
    assert plain_of(counted) == 10


def test_siblings_are_in_order_of_their_dots() -> None:
    late, early = JsonLeaf(OTHER, "late"), JsonLeaf(DOT, "early")
    slot = slot_of([late, early], 1)
    assert nodes_in(slot, 1) == [early, late]
    assert plain_of(slot) == "early"
    assert slot_of([], 1) is MISSING
    assert nodes_in(MISSING, 1) == []


def test_containers_unfold_one_level() -> None:
    value = {"a": {"b": [1, None]}}
    node = unfolded(JsonLeaf(DOT, value))
    assert isinstance(node, JsonObject)
    assert node.fields is value
    inner = open_below(node, b"a", 0)
    assert isinstance(inner, JsonObject)
    array = open_below(inner, b"b", DOT)
    assert isinstance(array, JsonArray)
    assert open_below(inner, b"b", 0) is array
    element = open_below(array, (0, 5 << 40, 1 << 22 | 1), 0)
    assert isinstance(element, JsonLeaf)
    assert element.value is None
    assert values_of(node) == {"a": {"b": [1, None]}}


def test_steps_that_lead_nowhere_open_nothing() -> None:
    node = unfolded(JsonLeaf(DOT, {"a": 1}))
    assert open_below(node, b"b", 0) is None
    assert open_below(node, b"a", OTHER) is None
    assert open_below(node, (0, 5 << 40, 1 << 22), 0) is None
    array = array_of(DOT, [1])
    assert open_below(array, b"a", 0) is None
    assert open_below(array, (0, 5 << 40, 9 << 22), 0) is None
    assert open_below(array, (0, OTHER, 9 << 22), 0) is None
    assert open_below(JsonLeaf(DOT, 1), b"a", 0) is None
