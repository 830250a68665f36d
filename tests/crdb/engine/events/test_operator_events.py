"""The classes of events: one for each name, with a meaning for each detail."""

from __future__ import annotations

import ast
from pathlib import Path

import attrs

import crdb
from crdb.engine.events.event_bases import EVENTS
from crdb.engine.events.operator_events import RegionRunsTwiceEvent

SOURCES = sorted(Path(crdb.__file__).parent.rglob("*.py"))


def test_each_class_and_detail_has_meaning() -> None:
    for name, kind in EVENTS.items():
        assert kind.name == name
        assert (kind.__doc__ or "").endswith(".")
        assert all(field.metadata["meaning"] for field in attrs.fields(kind))


def called(path: Path) -> set[str]:
    """The names of all functions and classes that a source file calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {each.id for each in calls if isinstance(each, ast.Name)}


def test_every_event_is_reported() -> None:
    found: set[str] = set()
    for path in SOURCES:
        found |= called(path)
    assert {kind.__name__ for kind in EVENTS.values()} - found == set()


def test_region_that_runs_twice_shows_how_many_keys_it_holds() -> None:
    event = RegionRunsTwiceEvent(region="eu", peer="us", keys=1, remedy="stop one of them")
    (line,) = event.lines()
    reason = "us is linked with another process that runs as eu"
    assert line == f"eu: refuses clients: {reason} (1 key here): stop one of them"
