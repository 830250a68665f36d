"""Check the packages and compiled modules in `pyproject.toml` and `hatch_build.py`."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from hatch_build import FILES_TOGETHER, Progress, combine, without_trashcan

ROOT = Path(__file__).parents[1]
PACKAGES = {"crdt", "replication", "geo", "crdb", "sim"}
LOCK = ROOT / "requirements" / "lock.txt"


def patterns() -> list[str]:
    """Return the list of modules to compile in pyproject.toml."""
    hooks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["hooks"]
    return hooks["custom"]["modules"]


def test_modules_to_compile_exist_and_are_named_once() -> None:
    assert patterns() == sorted(set(patterns()))
    assert all(list(ROOT.glob(pattern)) for pattern in patterns())


def parents(path: Path) -> Iterator[str]:
    """Return the base classes of a module's classes, as qualified names."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                name = base.value if isinstance(base, ast.Subscript) else base
                if isinstance(name, ast.Name) and name.id in imported:
                    yield imported[name.id]


def open_classes(path: Path) -> Iterator[str]:
    """Return the classes of a module that allow subclasses which are not compiled."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(
            node, ast.ClassDef
        ) and "mypyc_attr(allow_interpreted_subclasses=True)" in map(
            ast.unparse, node.decorator_list
        ):
            yield ".".join((*path.relative_to(ROOT).with_suffix("").parts, node.name))


def test_compiled_classes_have_compiled_subclasses_only() -> None:
    compiled = {path for pattern in patterns() for path in ROOT.glob(pattern)}
    free = {name for path in compiled for name in open_classes(path)}
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in compiled}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for parent in parents(path):
                origin = parent.rpartition(".")[0]
                if path in compiled:
                    assert origin != "collections.abc", f"{path} must not be compiled"
                elif parent not in free:
                    assert origin not in names, f"{path} must be compiled: {parent} is"


def test_compiled_classes_get_their_containers_when_made() -> None:
    """mypyc assigns the `factory` of a field itself to the attribute, and the import fails."""
    for path in sorted({path for pattern in patterns() for path in ROOT.glob(pattern)}):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "attrs.define" in map(
                ast.unparse, node.decorator_list
            ):
                body = "".join(ast.unparse(each) for each in node.body)
                assert "factory=" not in body, f"{path}: pass the containers of {node.name}"


def test_lock_file_names_no_host() -> None:
    locked = LOCK.read_text()
    assert "--hash=sha256:" in locked
    assert "://" not in locked


def test_group_run_lists_what_server_needs() -> None:
    """pip can install the dependencies of a project without the project only from a group."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["server"]
    assert settings["dependency-groups"]["run"] == sorted(needed)


def progress_of(total: int, *, is_terminal: bool) -> str:
    """Return the output of the build while it compiles `total` files."""
    shown: list[str] = []
    progress = Progress(shown.append, is_terminal=is_terminal)
    progress.total = total
    for _ in range(total):
        progress.count()
    return "".join(shown)


def test_compiling_draws_one_line_on_terminal() -> None:
    assert progress_of(2, is_terminal=True) == "\rcrdb: compiling 1/2\rcrdb: compiling 2/2\n"


def test_compiling_prints_every_quarter_elsewhere() -> None:
    lines = progress_of(200, is_terminal=False).splitlines()
    assert lines == [f"crdb: compiling {number}/200" for number in (50, 100, 150, 200)]


def test_deallocators_that_untrack_nothing_do_without_the_trashcan(tmp_path: Path) -> None:
    """The object has no header of the garbage collector, by which the trashcan could link it."""
    freed = "    free(self);\n"
    used = f"    CPy_TRASHCAN_BEGIN(self, f)\n{freed}    CPy_TRASHCAN_END(self)\n"
    cyclic = "{\n    PyObject_GC_UnTrack(self);\n" + used + "}\n"
    source = tmp_path / "a.c"
    source.write_text("{\n" + used + "}\n" + cyclic)
    assert Path(without_trashcan(source)).read_text() == "{\n" + freed + "}\n" + cyclic
    source.write_text(cyclic)
    assert without_trashcan(source) == str(source)


def test_translated_modules_are_compiled_several_at_a_time(tmp_path: Path) -> None:
    modules = [str(tmp_path / f"__native_m{index}.c") for index in range(FILES_TOGETHER + 1)]
    runtime = str(tmp_path / "init.c")
    assert combine([runtime], tmp_path) == [runtime]
    parts = combine([*modules, runtime], tmp_path)
    assert parts[0] == runtime
    included = [line for part in parts[1:] for line in Path(part).read_text().splitlines()]
    assert included == [f'#include "{Path(each).name}"' for each in modules]
    assert len(parts) == 3
