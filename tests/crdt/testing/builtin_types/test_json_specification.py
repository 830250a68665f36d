"""The specification of JSON documents, by hand-made histories."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.builtin_types.json_specification import json_document, whole_way
from crdt.testing.history import HistoryEvent

ONE = make_dot(make_origin(1), 1)


def happened(index: int, region: int, saw: list[int], name: str, *args: Any) -> HistoryEvent:
    """Return an operation, which is the region's operation number `index` + 1."""
    dot = make_dot(make_origin(region), index + 1)
    past = sum(1 << each for each in saw)
    return HistoryEvent(TypeCommand(name, "k", args), dot, 0, 0, index, past)


def meaning(*about: HistoryEvent) -> Any:
    clears = [event for event in about if event.command.name == "DEL"]
    part = json_document(list(about), clears)
    return None if part is None else part[0]


CREATED = happened(0, 1, [], "JSON.ASSIGN", (), '{"a":1,"l":[1,2]}')


def test_missing_dots_are_those_of_containers() -> None:
    position = (0, make_dot(make_origin(2), 0), 5 << 22)
    way = whole_way((ONE, b"a", 0, position, 0, b"b"))
    assert way == (ONE, b"a", ONE, position, make_dot(make_origin(2), 5), b"b")


@pytest.mark.rule("JSN-6")
def test_lowest_origin_among_unseen_writes_is_shown() -> None:
    slot = (ONE, b"a")
    late = happened(1, 2, [0], "JSON.ASSIGN", slot, "2")
    early = happened(2, 1, [0], "JSON.ASSIGN", slot, "3")
    assert meaning(CREATED, late) == '{"a":2,"l":[1,2]}'
    assert meaning(CREATED, late, early) == '{"a":3,"l":[1,2]}'
    last = happened(3, 3, [0, 1, 2], "JSON.ASSIGN", slot, "4")
    assert meaning(CREATED, late, early, last) == '{"a":4,"l":[1,2]}'


@pytest.mark.rule("JSN-5")
def test_operation_below_removed_root_is_not_seen() -> None:
    change = happened(1, 2, [0], "JSON.ASSIGN", (ONE, b"a"), "2")
    assert meaning(CREATED, change, happened(2, 1, [0], "DEL")) is None


@pytest.mark.rule("JSN-9")
def test_elements_are_sorted_and_cut() -> None:
    array = (ONE, b"l", 0)
    run = make_dot(make_origin(1), 0)
    first = (0, run, 1 << 22)
    insert = happened(1, 2, [0], "JSON.INSERT", array, first, 1, 1, '["x","y"]')
    assert meaning(CREATED, insert) == '{"a":1,"l":[1,"x","y",2]}'
    cut = happened(2, 3, [0], "JSON.CUT", array, first)
    assert meaning(CREATED, insert, cut) == '{"a":1,"l":["x","y",2]}'
    empty = happened(3, 3, [0], "JSON.EMPTY", array)
    assert meaning(CREATED, insert, empty) == '{"a":1,"l":["x","y"]}'


@pytest.mark.rule("JSN-12")
def test_latest_sum_of_each_origin_counts() -> None:
    number = (ONE, b"a", 0)
    adds = [
        happened(1, 2, [0], "JSON.ADD", number, 5),
        happened(2, 2, [0, 1], "JSON.ADD", number, 7),
        happened(3, 3, [0], "JSON.ADD", number, "0.5"),
    ]
    assert meaning(CREATED, adds[0]) == '{"a":6,"l":[1,2]}'
    assert meaning(CREATED, *adds) == '{"a":8.5,"l":[1,2]}'
