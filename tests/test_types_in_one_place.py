"""Check that types are named only in their own folders. Other code reads their definitions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from crdt.types.registry import DEFINITIONS

ROOT = Path(__file__).parents[1]
PACKAGES = ("crdt", "replication", "geo", "crdb", "sim")
COMMANDS_OF_ANY_TYPE = {
    "connection",
    "generic",
    "pubsub",
    "replication",
    "scripting",
    "security",
    "server",
    "shared",
}
"""The folders of commands that serve all types. Each other one has the commands of one type."""
FOLDERS = (
    "crdt/types/",
    "crdt/writes/",
    "crdt/embed/",
    "crdt/testing/",
    *sorted(
        f"crdb/commands/{each.parent.name}/"
        for each in ROOT.glob("crdb/commands/*/__init__.py")
        if each.parent.name not in COMMANDS_OF_ANY_TYPE
    ),
)
"""The folders of the types: their values, writes, handles, specifications and commands."""
TYPE_MODULES = {each.make.__module__ for each in DEFINITIONS}  # pyright: ignore[reportFunctionMemberAccess]


def imported_types(path: Path) -> set[str]:
    """Return the modules of types that a source file imports, or imports something from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("crdt.types.") for name in found & TYPE_MODULES}


def naming() -> dict[str, set[str]]:
    """Return the source files outside the folders of the types that name types."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = {str(path.relative_to(ROOT)): imported_types(path) for path in paths}
    return {path: types for path, types in found.items() if types and not path.startswith(FOLDERS)}


def test_no_other_module_names_type() -> None:
    assert naming() == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_of_types_names_types(folder: str) -> None:
    assert any(imported_types(path) for path in (ROOT / folder).rglob("*.py"))
