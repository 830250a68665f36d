"""Check that only `crdt` reaches into a replica. Other packages call methods.

A file outside `crdt` may hold a replica, its keyspace, its other parts and its values. It neither
reads their private attributes nor assigns to any attribute. A replica and its parts are recognised
by the names of the variables. The values of types are recognised by their classes: an annotation, a
check with `isinstance`, or a call that takes the class and returns a value of it.
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
        {
            "base",
            "expired",
            "expiry_clock",
            "hits",
            "misses",
            "now",
            "origin",
            "second",
            "seq",
            "types",
        }
        | {"vector"}
    ),
    "OpLog": frozenset({"bytes", "floor", "jumps", "limit", "start"}),
    "CausalBuffer": frozenset({"limit"}),
    "Stability": frozenset({"members"}),
    "Garbage": frozenset({"done", "is_behind", "is_partial"}),
    "TypeRegistry": frozenset({"by_code", "shapes"}),
    "Value": frozenset({"accessed"}),
    "Register": frozenset({"value"}),
    "HyperLogLog": frozenset({"ranks"}),
}
"""Attributes by class that others may read: parts, and values that are only replaced by methods.
All other attributes are insides."""


def classes_of_crdt() -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield the classes of `crdt`, each with the path of its file."""
    for path in sorted((ROOT / "crdt").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield str(path.relative_to(ROOT)), node


CLASSES: dict[str, ast.ClassDef] = {}
PLACES: dict[str, str] = {}
for _path, _node in classes_of_crdt():
    CLASSES[_node.name] = _node
    PLACES[_node.name] = _path


def bases_of(name: str, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Return the names of a class and of all its bases."""
    found = {name}
    for base in classes[name].bases if name in classes else ():
        found |= bases_of(ast.unparse(base), classes)
    return found


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
    return {
        holder: attributes_of(name, CLASSES) - INTERFACE.get(name, frozenset())
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


VALUES = {
    name: attributes_of(name, CLASSES) - INTERFACE["Value"] - INTERFACE.get(name, frozenset())
    for name, path in PLACES.items()
    if path.startswith("crdt/types/") and "Value" in bases_of(name, CLASSES)
}
"""The insides of each class of values."""


def value_classes(node: ast.AST) -> set[str]:
    """Return the classes of values that an annotation or an argument names."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & VALUES.keys()


def holders_of_values(function: ast.AST) -> dict[str, set[str]]:
    """Return the variables of a function that hold values, with the classes of these."""
    found: dict[str, set[str]] = {}

    def record(target: ast.AST, classes: set[str]) -> None:
        if isinstance(target, ast.Name) and classes:
            found.setdefault(target.id, set()).update(classes)

    for node in ast.walk(function):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as kind):
                record(ast.Name(name), value_classes(kind))
            case ast.AnnAssign(target=target, annotation=kind):
                record(target, value_classes(kind))
            case ast.Assign(targets=[target], value=ast.Call(args=arguments)):
                for each in arguments:
                    record(target, value_classes(each) if isinstance(each, ast.Name) else set())
            case ast.Call(func=ast.Name(id="isinstance"), args=[target, kind]):
                record(target, value_classes(kind))
            case _:
                pass
    for node in ast.walk(function):  # an element of a list of values is a value
        if isinstance(node, ast.For | ast.comprehension):
            held = found.get(base_name(node.iter), set())
            record(node.target, held)
    return found


def base_name(node: ast.expr) -> str:
    """Return the name in front of subscripts: `held` for `held[0]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def reaches_into_values(tree: ast.AST) -> Iterator[str]:
    """Yield each attribute of a value that a source reaches for."""
    seen: set[tuple[int, int]] = set()
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        holders = holders_of_values(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute) or (node.lineno, node.col_offset) in seen:
                continue
            kinds = holders.get(base_name(node.value), set())
            is_stored = bool(kinds) and isinstance(node.ctx, ast.Store | ast.Del)
            if is_stored or any(node.attr in VALUES[kind] for kind in kinds):
                seen.add((node.lineno, node.col_offset))
                yield f"line {node.lineno}: {ast.unparse(node)}"


def reads(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each attribute of a holder that a source reads, with the class of the holder."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and last_name(node.value) in HOLDERS:
            yield HOLDERS[last_name(node.value)], node.attr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_outside_reaches_through(package: str) -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[str(path.relative_to(ROOT))] = [*reaches(tree), *reaches_into_values(tree)]
    assert {path: each for path, each in found.items() if each} == {}


def test_interface_lists_what_is_read_and_nothing_else() -> None:
    read = {
        found
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for found in reads(ast.parse(path.read_text(encoding="utf-8")))
    }
    listed = {(name, each) for name, attributes in INTERFACE.items() for each in attributes}
    assert {(name, each) for name, each in listed - read if name not in VALUES} == set()


def test_insides_follow_from_classes() -> None:
    assert {"outbox", "tombstones", "sent_context", "watched_keys"} <= INSIDES["keyspace"]
    assert {"contexts", "duplicates"} <= INSIDES["replica"]
    assert {"unjournaled", "ops"} <= INSIDES["history"]
    assert "vector" not in INSIDES["replica"], "it is a property"
    assert all(INSIDES.values())
    assert {"members", "order"} <= VALUES["Set"]
    assert {"fields", "tombstones"} <= VALUES["Hash"], "they are attributes of its base"
    assert "parts" in VALUES["Contested"]


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


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("value = read_typed(db, key, Set)\n    return value.members", 1),
        ("value = db.lookup(key)\n    if isinstance(value, Hash):\n        del value.fields", 1),
        ("value: List | None = found\n    return value.items", 1),
        ("value = read_typed(db, key, Set)\n    value.accessed = 5", 1),
        ("value = read_typed(db, key, Set)\n    return value.names(), value.accessed", 0),
        ("for each in sets:\n        return each.members", 1),
        ("return sets[0].members", 1),
        ("return pairs.items()", 0),
    ],
)
def test_reaches_into_values_are_found(body: str, count: int) -> None:
    source = f"def act(db, key, sets: list[Set], pairs: dict[bytes, int]):\n    {body}\n"
    assert len(list(reaches_into_values(ast.parse(source)))) == count
