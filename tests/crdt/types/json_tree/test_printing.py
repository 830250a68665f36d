"""Printing of large values in slices."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica
from crdt.types.json_path.evaluator import find_places
from crdt.types.json_path.parser import parse_path
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.printing import is_large, print_in_slices
from crdt.types.json_tree.texts import print_value, text_of
from crdt.writes import json as documents

VALUE: dict[str, Any] = {
    "rows": [{"n": number, "t": ["x", None, 1e-7]} for number in range(40)],
    "many": {f"m{number}": [number] * (number % 9) for number in range(30)},
    "empty": [[], {}],
    "s": 'a"ü',
}


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("is_edited", [False, True])
def test_pieces_are_the_text(limit: int, is_edited: bool) -> None:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text_of(VALUE))
    document = documents.document(db, b"k")
    if is_edited:
        for place in find_places(root_of(document), parse_path("$..*")):
            document.node_at(place.node_address())
    pieces: list[bytes] = []
    pauses = sum(1 for _ in print_in_slices(document.root(), limit, pieces))
    assert b"".join(pieces) == print_value(VALUE)
    assert pauses >= (100 if limit == 1 else 1)


def test_value_is_large_if_it_has_more_parts() -> None:
    assert not is_large([1, 2], 2)
    assert is_large([1, 2, 3], 2)
    assert is_large([[1, [2, 3]]], 4)
    assert not is_large([[1, [2, 3]]], 5)
    assert is_large([{"a": {"b": 1}}], 2)
