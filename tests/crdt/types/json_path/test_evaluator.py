"""Walks over documents, those that were edited and those that were not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from crdt import Replica
from crdt.types.json import JsonDocument
from crdt.types.json_path import evaluator
from crdt.types.json_path.evaluator import PathSearch, TooManyVisits, find_places
from crdt.types.json_path.parser import parse_path
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.texts import text_of
from crdt.writes import json as documents

STORE: dict[str, Any] = {
    "books": [
        {"title": "Sayings", "price": 8.95, "tags": ["old"], "sold": True},
        {"title": "Sword", "price": 12, "isbn": "0-1", "tags": []},
        {"title": "Moby", "price": 8.99, "isbn": "0-2", "sold": None},
    ],
    "bike": {"color": "red", "price": 20},
    "limit": 10,
    "odd name": {"": 1},
}


def untouched() -> JsonDocument:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text_of(STORE))
    return documents.document(db, b"k")


def edited() -> JsonDocument:
    """Return the same content, all of whose containers were edited."""
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text_of(STORE))
    document = documents.document(db, b"k")
    for place in find_places(root_of(document), parse_path("$..*")):
        if place.kind() in ("object", "array"):
            document.node_at(place.node_address())
    return document


def everything_in(value: Any) -> Iterator[Any]:
    """Yield all values in a container: its children first, then what is in each of them."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, list):
        inner = cast("list[Any]", value)
    yield from inner
    for each in inner:
        yield from everything_in(each)


@pytest.fixture(params=[untouched, edited])
def document(request: pytest.FixtureRequest) -> JsonDocument:
    make: Callable[[], JsonDocument] = request.param
    return make()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [STORE]),
        ("$.bike.color", ["red"]),
        ("$.books[0].title", ["Sayings"]),
        ("$.books[-1].title", ["Moby"]),
        ("$.books[5]", []),
        ("$.limit.x", []),
        ("$.limit[0]", []),
        ("$.bike[0]", []),
        ("$.books.title", []),
        ("$['odd name']['']", [1]),
        ("$.bike['price','color','none']", [20, "red"]),
        ("$.books[1,0,9].title", ["Sword", "Sayings"]),
        ("$.books[0:2].title", ["Sayings", "Sword"]),
        ("$.books[-2:].title", ["Sword", "Moby"]),
        ("$.books[::2].title", ["Sayings", "Moby"]),
        ("$.bike[0:1]", []),
        ("$.bike.*", ["red", 20]),
        ("$.limit.*", []),
        ("$..price", [8.95, 12, 8.99, 20]),
        ("$..tags[*]", ["old"]),
        ("$..[0]", [STORE["books"][0], "old"]),
        ("$..*", None),
        ("$.books[?(@.price < $.limit)].title", ["Sayings", "Moby"]),
        ("$.books[?(@.price >= 12)].title", ["Sword"]),
        ("$.books[?(@.isbn)].title", ["Sword", "Moby"]),
        ("$.books[?(!@.isbn)].title", ["Sayings"]),
        ("$.books[?(@.isbn == '0-2' || @.price == 8.95)].title", ["Sayings", "Moby"]),
        ("$.books[?(@.price > 8 && @.price < 9 && @.isbn)].title", ["Moby"]),
        ("$.books[?(@.sold == true)].title", ["Sayings"]),
        ("$.books[?(@.sold == null)].title", ["Moby"]),
        ("$.books[?(@.sold != true)].title", ["Sword", "Moby"]),
        ("$.books[?(@.title =~ '^S.*[sd]$')].title", ["Sayings", "Sword"]),
        ("$.books[?(@.title =~ '(?i)MOBY')].title", ["Moby"]),
        ("$.books[?(@.price =~ '8')].title", []),
        ("$.books[?(@.title < 'N')].title", ["Moby"]),
        ("$.books[?(@.price < 'a')].title", []),
        ("$.books[?(@.tags == $.books[1].tags)].title", ["Sword"]),
        ("$.books[?(@.tags[*] == 'old')].title", ["Sayings"]),
        ("$.books[*].tags[?(@ == 'old')]", ["old"]),
        ("$.bike[?(@ > 10)]", [20]),
        ("$.limit[?(@ > 1)]", []),
        ("$[?(@.price == 20.0)].color", ["red"]),
        ("$.books[?(@.sold <= null)].title", ["Moby"]),
        ("$.books[?(@.sold > false)].title", ["Sayings"]),
    ],
)
def test_paths_select_values(document: JsonDocument, path: str, expected: list[Any] | None) -> None:
    found = [place.plain() for place in find_places(root_of(document), parse_path(path))]
    assert found == (list(everything_in(STORE)) if expected is None else expected)


def test_places_lead_back_to_what_they_show(document: JsonDocument) -> None:
    for place in find_places(root_of(document), parse_path("$..*")):
        expected: Any = STORE
        for step in place.steps():
            expected = expected[step]
        assert place.plain() == expected
        node = document.node_at(place.node_address())
        assert node is not None
        assert node.dot == place.dot


@pytest.mark.interpreted("it replaces a constant")
def test_walk_pauses_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text_of(list(range(5000))))
    search = PathSearch(root_of(documents.document(db, b"k")))
    assert sum(1 for _ in search.run(parse_path("$[?(@ >= 0)]").selectors)) >= 5
    assert len(search.found) == 5000
    monkeypatch.setattr(evaluator, "VISITS_MAX", 4000)
    with pytest.raises(TooManyVisits):
        find_places(root_of(documents.document(db, b"k")), parse_path("$.*"))


def nested(depth: int) -> bytes:
    """Return the text of an object in an object, and so on."""
    return b'{"a":' * depth + b"1" + b"}" * depth


SLOW = {
    "two walks": (nested(100), "$..a..a"),
    "walks in a filter": (nested(60), "$[?(@..a..a > 1)]"),
    "walks that find nothing": (nested(60), "$[?(@..a..a..b)]"),
    "two filters": (nested(100), "$..[?(@..a)]"),
    "comparisons": (text_of([[*range(100)], [*range(200, 300)]]), "$[?($[0][*] == $[1][*])]"),
    "a long text": (text_of(["a" * 5000]), "$[?(@ =~ 'b')]"),
    "a long pattern": (text_of(["a" * 50]), "$[?(@ =~ '" + "a?" * 500 + "b')]"),
}


@pytest.mark.parametrize("name", SLOW)
def test_no_slice_of_a_walk_is_long(name: str) -> None:
    """A slice is of about 1,000 values, also in filters and in searches of texts."""
    text, path = SLOW[name]
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), text)
    search = PathSearch(root_of(documents.document(db, b"k")))
    before, slices = 0, 0
    for _ in search.run(parse_path(path).selectors):
        assert search.visits - before < 4000
        before, slices = search.visits, slices + 1
    assert slices >= search.visits // 5000 > 0
    size = documents.document(db, b"k").count_items()
    assert size < parse_path(path).visits_max(size)


@pytest.mark.interpreted("it replaces a constant")
def test_found_places_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "FOUND_MAX", 10)
    db = Replica(1).keyspace
    documents.assign(db, b"k", (), nested(20))
    with pytest.raises(TooManyVisits, match="selects more than 10"):
        find_places(root_of(documents.document(db, b"k")), parse_path("$..a"))
