"""Renaming of origins in JSON documents."""

from __future__ import annotations

from crdt import Replica
from crdt.types.json import DEFINITION, JsonDocument
from crdt.types.json_tree.places import root_of
from crdt.writes import json as documents


class Names:
    """Names that are one region higher."""

    def origin(self, origin: int) -> int:
        return origin + (1 << 14)

    def dot(self, dot: int) -> int:
        return dot + (1 << 54) if dot else 0


def script(replica: Replica) -> None:
    db = replica.keyspace
    documents.assign(db, b"k", (), b'{"a":[1,2,3],"n":1,"o":{"p":[]}}')
    node = root_of(documents.document(db, b"k")).node_address()
    documents.insert(db, b"k", (*node, b"a", 0), 1, ["x"])
    documents.insert(db, b"k", (*node, b"a", 0), 2, ["y"])
    documents.remove_elements(db, b"k", (*node, b"a", 0), 0, 1)
    documents.increment(db, b"k", (*node, b"n", 0), 0.5)
    documents.assign(db, b"k", (*node, b"o", 0, b"p"), b"[[]]")
    documents.clear(db, b"k", (*node, b"o", 0))
    documents.assign(db, b"k", (*node, b"q"), b"7")
    documents.remove_members(db, b"k", [(*node, b"q")])


def test_renamed_document_is_that_of_other_region() -> None:
    first, second = Replica(1), Replica(2)
    script(first)
    script(second)
    document = documents.document(first.keyspace, b"k")
    other = documents.document(second.keyspace, b"k")
    assert DEFINITION.rename_origins is not None
    DEFINITION.rename_origins(document, Names())
    assert document.state() == other.state()
    assert isinstance(document, JsonDocument)


def test_renamed_effects_are_those_of_other_region() -> None:
    first, second = Replica(1), Replica(2)
    script(first)
    script(second)
    assert DEFINITION.rename_effect is not None
    renamed = [DEFINITION.rename_effect(each, Names()) for each in first.keyspace.outbox]
    assert renamed == second.keyspace.outbox
