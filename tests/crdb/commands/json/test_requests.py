"""What the commands on JSON documents share."""

from __future__ import annotations

import pytest

from crdb.commands.json.requests import deepest_first, distinct, path_of, value_of
from crdb.engine.errors import CommandError
from crdt import Replica
from crdt.types.json_path.evaluator import find_places
from crdt.types.json_path.parser import parse_path
from crdt.types.json_tree.places import root_of
from crdt.writes import json as documents
from tests.crdb.commands.json.examples import Documents


def test_places_are_ordered_and_counted_once() -> None:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), b'{"a":[[1]]}')
    root = root_of(documents.document(db, b"k"))
    found = find_places(root, parse_path("$..*"))
    assert [len(place.steps()) for place in deepest_first(found)] == [3, 2, 1]
    doubled = [*found, *find_places(root, parse_path("$['a','a']"))]
    assert len(distinct(doubled)) == 3


def test_faulty_arguments_are_errors_of_command() -> None:
    with pytest.raises(CommandError):
        path_of(b"$[")
    with pytest.raises(CommandError):
        value_of(b"{")
    assert value_of(b"[1]") == [1]


@pytest.mark.interpreted("it replaces a constant")
def test_path_that_visits_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crdt.types.json_path.evaluator.VISITS_MAX", 10)
    documents = Documents()
    documents.line("JSON.SET k $ '[[1,2],[3,4],[5,6],[7,8]]'")
    reply = documents.line("JSON.GET k $..*..*")
    assert reply == "ERR the path visits more than 10 values"
