"""Places in JSON documents."""

from __future__ import annotations

from crdt import Replica
from crdt.types.json_tree.places import JsonPlace, root_of
from crdt.writes import json as documents


def root(text: bytes) -> JsonPlace:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text)
    return root_of(documents.document(db, b"k"))


def test_kinds_are_those_of_json_type() -> None:
    values = root(b'[null,true,1,1.5,"a",[],{},18446744073709551615]')
    kinds = "null boolean integer number string array object integer"
    assert [place.kind() for place in values.children()] == kinds.split()


def test_scalars_have_no_children() -> None:
    place = root(b'"text"')
    assert list(place.children()) == []
    assert place.member("a") is None
    assert place.element(0) is None
    assert place.steps() == []
    assert place.slot_address() == ()


def test_negative_indexes_count_from_the_end() -> None:
    place = root(b"[1,2,3]")
    for index, value in ((-1, 3), (-3, 1), (2, 3)):
        element = place.element(index)
        assert element is not None
        assert element.plain() == value
    assert place.element(-4) is None
    assert place.element(3) is None
    assert place.size() == 3
