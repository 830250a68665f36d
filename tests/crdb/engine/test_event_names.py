"""The list of event names: each one is used, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

import crdb
from crdb.engine.event_names import EVENT_NAMES
from crdb.region.report.operator_events import EVENTS

SOURCES = sorted(Path(crdb.__file__).parent.rglob("*.py"))
REPORTERS = {"report", "tell", "emit"}


def strings(tree: ast.AST) -> set[str]:
    """All strings in a source file."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def reported(tree: ast.AST) -> Iterator[str]:
    """The names of events in direct calls of what reports them."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr=name) | ast.Name(id=name),
                args=[ast.Constant(value=str(event)), _],
            ) if name in REPORTERS:
                yield event
            case _:
                pass


def reported_details(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Names of events, with the details that stand beside them."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[ast.Constant(value=str(event)), ast.Dict(keys=keys)]):
                yield event, {str(key.value) for key in keys if isinstance(key, ast.Constant)}
            case _:
                pass


def test_each_detail_that_is_reported_has_meaning() -> None:
    found = 0
    for path in SOURCES:
        for event, details in reported_details(ast.parse(path.read_text(encoding="utf-8"))):
            if event in EVENTS:
                found += 1
                fields = attrs.fields(EVENTS[event])
                needed = {field.name for field in fields if field.default is attrs.NOTHING}
                assert needed - {"region"} <= details, event
                assert details <= {field.name for field in fields}, event
    assert found > 20


def test_no_other_name_is_reported() -> None:
    found: set[str] = set()
    for path in SOURCES:
        found |= set(reported(ast.parse(path.read_text(encoding="utf-8"))))
    assert len(found) > 20
    assert found <= EVENT_NAMES


def test_every_name_is_in_use() -> None:
    found: set[str] = set()
    for path in SOURCES:
        if path.stem not in {"event_names", "operator_events"}:
            found |= strings(ast.parse(path.read_text(encoding="utf-8")))
    assert EVENT_NAMES - found == set()
