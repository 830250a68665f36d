"""The list of events: each one is reported somewhere, and none under another name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import crdb
from crdb.engine.event_names import EVENT_NAMES

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


def test_no_other_name_is_reported() -> None:
    found: set[str] = set()
    for path in SOURCES:
        found |= set(reported(ast.parse(path.read_text(encoding="utf-8"))))
    assert len(found) > 20
    assert found <= EVENT_NAMES


def test_every_name_is_in_use() -> None:
    found: set[str] = set()
    for path in SOURCES:
        if path.stem not in {"event_names", "events"}:
            found |= strings(ast.parse(path.read_text(encoding="utf-8")))
    assert EVENT_NAMES - found == set()
