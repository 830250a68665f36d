"""States of JSON documents."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica
from crdt.errors import DecodeError
from crdt.types.json import STATE_VERSION, JsonDocument
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.states import ARRAY, LEAF, OBJECT
from crdt.types.json_tree.texts import DEPTH_MAX
from crdt.writes import json as documents

DOT = 1 << 54 | 1
RUN = 1 << 54


def written(text: bytes) -> JsonDocument:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text)
    return documents.document(db, b"k")


def test_untouched_document_is_one_text() -> None:
    text = b'{"b":[1,{"c":null}],"a":"x"}'
    document = written(text)
    assert document.state() == (STATE_VERSION, ((DOT, LEAF, text, ()),))


def test_edited_container_that_looks_untouched_has_same_state() -> None:
    document = written(b'{"b":[1,{"c":null}],"a":"x"}')
    before = document.state()
    place = root_of(document).member("b")
    assert place is not None
    element = place.element(1)
    assert element is not None
    document.node_at(element.node_address())
    assert document.state() == before


def test_edited_parts_stand_beside_text() -> None:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), b'{"a":[1,2],"b":2}')
    root = root_of(documents.document(db, b"k"))
    documents.insert(db, b"k", (*root.node_address(), b"a", 0), 1, [5])
    documents.assign(db, b"k", (*root.node_address(), b"c"), b"true")
    documents.increment(db, b"k", (*root.node_address(), b"b", 0), 3)
    document = documents.document(db, b"k")
    ((dot, kind, text, *rest),) = document.state()[1]
    assert (dot, kind, text) == (DOT, OBJECT, b'{"a":null,"b":null}')
    array, counted, flag = rest[1::2]
    assert rest[::2] == [b"a", b"b", b"c"]
    assert array[0][:2] == (DOT, ARRAY)
    assert counted == ((DOT, LEAF, b"2", (1 << 14, 4, 3)),)
    assert flag == ((DOT + 2, LEAF, b"true", ()),)
    copy = JsonDocument()
    copy.load(document.state())
    assert copy.state() == document.state()
    assert copy.value() == {"a": [1, 5, 2], "b": 5, "c": True}
    assert copy.covered({1 << 14: 4})
    assert not copy.covered({1 << 14: 3})


NODE = (DOT, LEAF, b"1", ())
NODE_2 = (DOT + 2, LEAF, b"1", ())


@pytest.mark.parametrize(
    "nodes",
    [
        *(5, (5,), ((DOT, LEAF, b"1"),), ((0, LEAF, b"1", ()),), ((DOT, 7, b"1", ()),)),
        *(((DOT, LEAF, b"x", ()),), ((DOT, LEAF, b'"a"', (1, 1, 1)),), ((DOT, LEAF, 1, ()),)),
        *(((DOT, LEAF, b"1", (1, 1)),), ((DOT, LEAF, b"1", (1, 0, 1)),)),
        *(((DOT, LEAF, b"1", (2, 1, 1, 1, 1, 1)),), ((DOT, LEAF, b"1", (1, 1, 1.5)),)),
        *((NODE, NODE), ((DOT + 1, LEAF, b"1", ()), NODE)),
        *(((DOT, OBJECT, b"[]"),), ((DOT, OBJECT, b"{}", b"a"),), ((DOT, OBJECT, b"{}", 1, b"1"),)),
        *(((DOT, OBJECT, b'{"a":1}', b"a", b"1"),), ((DOT, OBJECT, b"{}", b"\xff", b"1"),)),
        *(((DOT, OBJECT, b"{}", b"a", ()),), ((DOT, OBJECT, b"{}", b"a", 5),)),
        ((DOT, OBJECT, b"{}", b"a", ((DOT, LEAF, b"1", (1 << 14, 4, 3)),)),),
        ((DOT, OBJECT, b'{"a":null}', b"a", ((DOT + 2, LEAF, b"1", ()),)),),
        ((DOT, OBJECT, b"{}", b"b", (NODE_2,), b"a", (NODE_2,)),),
        *(((DOT, ARRAY, (), 0, RUN, (1 << 22,)),), ((DOT, ARRAY, 5),)),
        *(((DOT, ARRAY, (), 0, RUN, (1 << 22,), b"[]"),), ((DOT, ARRAY, (), 0, RUN, (), b"[]"),)),
        *(((DOT, ARRAY, (), 0, RUN, (1,), b"[1]"),), ((DOT, ARRAY, (), 0, 5, (1 << 22,), b"[1]"),)),
        *(
            ((DOT, ARRAY, (), 0, DOT, (1 << 22,), b"[1]"),),
            ((DOT, ARRAY, (), 0, RUN, (1 << 22,), 5),),
        ),
        ((DOT, ARRAY, (), 0, RUN, (1 << 22,), b"[1]", 0, RUN, (1 << 22,), b"[1]"),),
    ],
)
def test_hostile_state_is_refused(nodes: Any) -> None:
    with pytest.raises(DecodeError):
        JsonDocument().load((STATE_VERSION, nodes))


def test_state_that_is_too_deep_is_refused() -> None:
    state: Any = ((DOT, OBJECT, b"{}", b"a", b"1"),)
    for _ in range(DEPTH_MAX + 2):
        state = ((DOT, OBJECT, b'{"a":null}', b"a", state),)
    with pytest.raises(DecodeError, match="too deep"):
        JsonDocument().load((STATE_VERSION, state))


def test_later_version_is_named() -> None:
    with pytest.raises(DecodeError, match="version 2"):
        JsonDocument().load((2, ()))
