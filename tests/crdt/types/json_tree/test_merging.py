"""Merging of copies of JSON documents."""

from __future__ import annotations

from crdt import Replica
from crdt.types.json_tree.merging import MERGED_IN_SLICE, Merge
from crdt.types.json_tree.nodes import JsonLeaf, JsonNode, values_of
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.texts import text_of
from crdt.writes import json as documents

DOT = 1 << 54 | 1


def test_members_that_one_copy_has_removed_are_removed() -> None:
    merge = Merge({1 << 14: 1}, {1 << 14: 2})
    found: list[JsonNode] = []
    for _ in merge.join([JsonLeaf(DOT, {"a": 1, "b": 2})], [JsonLeaf(DOT, {"b": 2})], found):
        pass
    assert [values_of(node) for node in found] == [{"b": 2}]


def test_node_is_kept_if_other_copy_has_not_seen_it() -> None:
    late = JsonLeaf(2 << 54 | 7, "late")
    for theirs, kept in (({2 << 14: 6}, ["late"]), ({2 << 14: 7}, [])):
        found: list[JsonNode] = []
        for _ in Merge({2 << 14: 7}, theirs).join([late], [], found):
            pass
        assert [values_of(node) for node in found] == kept


def test_merge_of_large_copies_pauses() -> None:
    here, there = Replica(1), Replica(2)
    names = {f"m{number}": [number] for number in range(4 * MERGED_IN_SLICE)}
    documents.assign(here.keyspace, b"k", (), text_of(names))
    there.merge(here.snapshot())
    for replica, name in ((here, b"m1"), (there, b"m2")):
        db = replica.keyspace
        address = (*root_of(documents.document(db, b"k")).node_address(), name, 0)
        documents.insert(db, b"k", address, 1, ["new"])
    left, right = (documents.document(each.keyspace, b"k") for each in (here, there))
    pauses = sum(1 for _ in left.merge_in_slices(right, here.vector, there.vector))
    assert pauses >= 3
    assert left.value() == names | {"m1": [1, "new"], "m2": [2, "new"]}
