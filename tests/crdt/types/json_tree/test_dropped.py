"""Removed parts of JSON documents, which are freed in slices."""

from __future__ import annotations

from crdt import Replica
from crdt.types.json_tree.dropped import FREED_IN_SLICE, DroppedNodes, arrays_below
from crdt.types.json_tree.nodes import JsonLeaf, array_of
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.texts import text_of
from crdt.writes import json as documents


def test_content_is_freed_in_slices() -> None:
    inner = [{"a": [number]} for number in range(3 * FREED_IN_SLICE)]
    dropped = DroppedNodes([JsonLeaf(1, inner), array_of(1 << 40 | 1, [1, {"b": [2]}, [3]])])
    slices = 0
    while dropped.free_slice():
        slices += 1
    assert slices >= 6
    assert not inner
    assert not dropped.stack


def test_edited_arrays_are_found_below_node() -> None:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text_of({"a": [[1]], "b": {"c": [2]}, "d": [3]}))
    document = documents.document(db, b"k")
    root = root_of(document).node_address()
    assert arrays_below(document.root()) == []
    inner = document.node_at((*root, b"b", 0, b"c", 0))
    element = root_of(document).member("a")
    assert element is not None
    nested = element.element(0)
    assert nested is not None
    document.node_at(nested.node_address())
    found = arrays_below(document.root())
    assert inner in found
    assert len(found) == 3
