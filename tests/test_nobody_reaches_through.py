"""The insides of a replica are the business of `crdt`: everything else calls methods.

A file outside `crdt` may hold a replica, its keyspace and its other parts. It neither reads what
these keep to themselves nor assigns to their attributes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("replication", "geo", "crdb", "sim")
HOLDERS = frozenset(
    {"replica", "keyspace", "db", "causal_buffer", "stability", "history", "deadlines", "garbage"}
)
"""Names under which a replica and its parts are held."""
INSIDES = frozenset(
    {
        "assignments",
        "clocks",
        "contexts",
        "data",
        "deadlines",
        "dirty_keys",
        "endings",
        "has_remote_news",
        "heap",
        "local",
        "makers",
        "ops",
        "order",
        "outbox",
        "outbox_bytes",
        "pending",
        "queues",
        "readers",
        "reports",
        "reserve",
        "scan_order",
        "sent_context",
        "table",
        "timed",
        "tombstones",
        "watched_keys",
    }
)
"""Attributes of a replica's parts that only `crdt` reads."""
METHODS = frozenset({"pending"})
"""Names of `INSIDES` that are also methods, which may be called."""


def last_name(node: ast.expr) -> str:
    """Return the last name of a dotted path: `db` for both `db` and `self.db`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def reaches(tree: ast.AST) -> Iterator[str]:
    """Yield each attribute of a holder that a source reaches for."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or last_name(node.value) not in HOLDERS:
            continue
        is_method = node.attr in METHODS and id(node) in called
        if isinstance(node.ctx, ast.Store | ast.Del) or (node.attr in INSIDES and not is_method):
            yield f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_outside_reaches_through(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): list(reaches(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert {path: each for path, each in found.items() if each} == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("region.replica.keyspace.data.get(key)", 1),
        ("db.outbox", 1),
        ("self.db.tombstones", 1),
        ("replica.causal_buffer.queues[origin]", 1),
        ("keyspace.now = 5", 1),
        ("del db.vector", 1),
        ("self.replica = replica", 0),
        ("db.pending()", 0),
        ("db.held(key)", 0),
        ("entry.data", 0),
    ],
)
def test_reaches_are_found(source: str, count: int) -> None:
    assert len(list(reaches(ast.parse(source)))) == count
