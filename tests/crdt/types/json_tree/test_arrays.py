"""Elements of JSON arrays, in several blocks, compared with a Python list."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crdt import Replica
from crdt.types.json_tree.arrays import clear_array, discard_elements
from crdt.types.json_tree.nodes import JsonArray, array_of, values_of
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.texts import text_of
from crdt.writes import json as documents

SIZE = 700


def synced(left: Replica, right: Replica) -> None:
    for _ in range(2):
        for source, sink in ((left, right), (right, left)):
            for op in source.since(sink.vector):
                sink.accept(op)


def values(replica: Replica) -> Any:
    return documents.document(replica.keyspace, b"k").value()


@pytest.mark.parametrize("seed", range(3))
def test_changes_are_those_of_python_list(seed: int) -> None:
    rng = random.Random(seed)
    here, there = Replica(1), Replica(2)
    expected: list[Any] = list(range(SIZE))
    documents.assign(here.keyspace, b"k", (), text_of(expected))
    synced(here, there)
    for number in range(150):
        replica = rng.choice((here, there))
        address = root_of(documents.document(replica.keyspace, b"k")).node_address()
        at = rng.randrange(len(expected) + 1)
        if rng.random() < 0.5:
            stop = min(len(expected), at + rng.randrange(1, 40))
            documents.remove_elements(replica.keyspace, b"k", address, at, stop)
            del expected[at:stop]
        else:
            added = [f"{number}-{each}" for each in range(rng.randrange(1, 30))]
            documents.insert(replica.keyspace, b"k", address, at, added)
            expected[at:at] = added
        synced(here, there)
        assert values(here) == values(there) == expected
    assert here.digest() == there.digest()
    fresh = Replica(3)
    fresh.merge(here.snapshot())
    assert values(fresh) == expected


def test_concurrent_changes_of_long_array_merge() -> None:
    here, there = Replica(1), Replica(2)
    documents.assign(here.keyspace, b"k", (), text_of(list(range(SIZE))))
    synced(here, there)
    address = root_of(documents.document(here.keyspace, b"k")).node_address()
    documents.remove_elements(here.keyspace, b"k", address, 100, 500)
    documents.insert(there.keyspace, b"k", address, 300, ["x", "y"])
    slot = root_of(documents.document(there.keyspace, b"k")).element(200)
    assert slot is not None
    documents.assign(there.keyspace, b"k", slot.slot_address(), b'"kept"')
    copy = Replica(3)
    copy.merge(here.snapshot())
    copy.merge(there.snapshot())
    synced(here, there)
    expected = [*range(100), "kept", "x", "y", *range(500, SIZE)]
    assert values(here) == values(there) == values(copy) == expected


def test_array_begins_as_it_was_written() -> None:
    array = array_of(1 << 40 | 5, list(range(SIZE)))
    array.items.check()
    assert values_of(array) == list(range(SIZE))
    assert array.length() == SIZE
    assert values_of(array_of(1 << 40 | 5, [])) == []


def test_removal_of_unknown_elements_removes_nothing() -> None:
    replica = Replica(1)
    documents.assign(replica.keyspace, b"k", (), b"[1,2,3]")
    observed = replica.keyspace.local
    array = array_of(replica.origin << 40 | 1, [1, 2, 3])
    for span in ((0, 9 << 40, 1 << 22), (0, 9 << 40 | 7, 1 << 22), (0, 1 << 54, 1 << 30, 5, 9)):
        assert discard_elements(array, span, observed) == []
    assert values_of(array) == [1, 2, 3]
    assert len(clear_array(array, observed)) == 3
    assert isinstance(array, JsonArray)
    assert array.length() == 0
