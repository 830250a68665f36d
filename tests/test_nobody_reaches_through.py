"""Check that only `crdt` reaches into a replica. Others call methods.

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
HOLDERS = {
    "replica": "Replica",
    "keyspace": "Keyspace",
    "db": "Keyspace",
    "history": "OpLog",
    "causal_buffer": "CausalBuffer",
    "stability": "Stability",
    "identities": "Identities",
    "deadlines": "Deadlines",
    "garbage": "Garbage",
    "types": "TypeRegistry",
}
"""Names under which a replica and its parts are held, and their classes."""
INTERFACE: dict[str, frozenset[str]] = {
    "Replica": frozenset(
        {
            *("applied", "causal_buffer", "garbage", "history", "identities", "keyspace", "merges"),
            *("op_bytes", "stability"),
        }
    ),
    "Keyspace": frozenset(
        {"expired", "expiry_clock", "hits", "misses", "now", "origin", "second", "seq", "types"}
        | {"vector"}
    ),
    "OpLog": frozenset({"bytes", "floor", "jumps", "limit", "start"}),
    "CausalBuffer": frozenset({"limit"}),
    "Stability": frozenset({"members"}),
    "Garbage": frozenset({"done", "is_behind"}),
    "TypeRegistry": frozenset({"by_code", "shapes"}),
}
"""Attributes by class that others may read: parts, and values that are only replaced by methods.
All other attributes are insides."""


def classes_of_crdt() -> dict[str, ast.ClassDef]:
    """Return the classes of `crdt` by name."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "crdt").rglob("*.py")]
    return {
        node.name: node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def attributes_of(name: str, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Return the attributes that instances of a class have, with those of its bases."""
    if name not in classes:
        return set()
    found: set[str] = set()
    for node in ast.walk(classes[name]):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node.value) == "self":
                found.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    for base in classes[name].bases:
        found |= attributes_of(ast.unparse(base), classes)
    methods = {node.name for node in classes[name].body if isinstance(node, ast.FunctionDef)}
    return found - methods


def insides() -> dict[str, set[str]]:
    """Return the attributes that only `crdt` reads, by the name of a holder."""
    classes = classes_of_crdt()
    return {
        holder: attributes_of(name, classes) - INTERFACE.get(name, frozenset())
        for holder, name in HOLDERS.items()
    }


INSIDES = insides()


def last_name(node: ast.expr) -> str:
    """Return the last name of a dotted path: `db` for both `db` and `self.db`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def reaches(tree: ast.AST) -> Iterator[str]:
    """Yield each attribute of a holder that a source reaches for."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        holder = last_name(node.value)
        if holder not in HOLDERS:
            continue
        if isinstance(node.ctx, ast.Store | ast.Del) or node.attr in INSIDES[holder]:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def reads(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each attribute of a holder that a source reads, with the class of the holder."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and last_name(node.value) in HOLDERS:
            yield HOLDERS[last_name(node.value)], node.attr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_outside_reaches_through(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): list(reaches(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert {path: each for path, each in found.items() if each} == {}


def test_interface_lists_what_is_read_and_nothing_else() -> None:
    read = {
        found
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for found in reads(ast.parse(path.read_text(encoding="utf-8")))
    }
    listed = {(name, each) for name, attributes in INTERFACE.items() for each in attributes}
    assert listed - read == set()


def test_insides_follow_from_classes() -> None:
    assert {"outbox", "tombstones", "sent_context", "watched_keys"} <= INSIDES["keyspace"]
    assert {"contexts", "duplicates"} <= INSIDES["replica"]
    assert {"unjournaled", "endings", "ops"} <= INSIDES["history"]
    assert "vector" not in INSIDES["replica"], "it is a property"
    assert all(INSIDES.values())


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("region.replica.keyspace.data.get(key)", 1),
        ("db.outbox", 1),
        ("self.db.tombstones", 1),
        ("replica.causal_buffer.queues[origin]", 1),
        ("replica.history.unjournaled", 1),
        ("replica.history.stop", 0),
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
