"""Rules of this repository that no other tool checks.

Each test covers all files and names those that break the rule. Ruff checks the number of
parameters, prints, the future import and the imports of pure modules.

Limits are ratchets. `LONGER` lists what may exceed a limit, with its present measure and the
reason. It may shrink, which lowers the entry, and never grow. `EXEMPT` lists the exceptions to
rules. An entry that is no longer needed fails.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # it reads sources

ROOT = Path(__file__).parents[1]
PACKAGES = ("crdt", "replication", "geo", "crdb", "sim")

FUNCTION_LINES_MAX = 50  # a screen, the docstring left out
FILE_LINES_MAX = 500
DRIVER_LINES_MAX = 200  # what cannot be simulated cheaply must be too small to hide a bug

# What exceeds a limit above: (path, function or "") -> (its measure now, why it may).
LONGER: dict[tuple[str, str], tuple[int, str]] = {}

# What a rule is not for: (rule, path) -> why.
EXEMPT: dict[tuple[str, str], str] = {
    ("free of drivers", "crdb/net/serving.py"): "the compiled part of the listener",
    ("tested", "crdb/__main__.py"): "one call of `crdb.cli.main.main`",
    ("used", "crdt/testing/adapter.py"): "for users: our schedules in Hypothesis",
}

FORBIDDEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")


def python_files(*places: str) -> list[str]:
    """Return the paths of all Python files in these directories, relative to the root."""
    found = (path for place in places for path in (ROOT / place).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: str) -> ast.Module:
    found = ast.parse(text(path))
    gc.freeze()  # trees are kept: the garbage collector need not visit them again and again
    return found


@cache
def project() -> dict[str, dict[str, dict[str, dict[str, dict[str, list[str]]]]]]:
    """Return pyproject.toml, as deep as the tests here read it."""
    return tomllib.loads(text("pyproject.toml"))


def drivers() -> dict[str, list[str]]:
    """Return the installed files that may use the event loop, sockets, files or clocks."""
    leave = project()["tool"]["ruff"]["lint"]["per-file-ignores"]
    return {path: rules for path, rules in leave.items() if "TID251" in rules and path in SOURCES}


SOURCES = python_files(*PACKAGES)
HOUSE = SOURCES + python_files("tests", "bench", "tools", "examples") + ["hatch_build.py"]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"))
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: str) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def lines_of(node: Function) -> int:
    """Return the number of lines of a function from `def` to its end, without the docstring."""
    opening = node.body[0]
    is_documented = ast.get_docstring(node, clean=False) is not None
    documentation = (opening.end_lineno or 0) - opening.lineno + 1 if is_documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - documentation


def hold(path: str, name: str, measure: int, limit: int) -> str:
    """Return "" if the measure keeps the limit, or equals its exception. Otherwise return the
    error."""
    if (path, name) not in LONGER:
        return f"{path} {name}: {measure}, at most {limit}" if measure > limit else ""
    allowed = LONGER[path, name][0]
    return f"{path} {name}: {measure}, LONGER says {allowed}" if measure != allowed else ""


def line_limit(path: str) -> int:
    """Return the limit of lines of a file. Programs that print much text may be longer."""
    is_driver = "T201" not in drivers().get(path, ["T201"])
    return DRIVER_LINES_MAX if is_driver else FILE_LINES_MAX


def nobody(broken: Iterable[object]) -> None:
    """Fail, with a line for each, if anybody has broken the rule."""
    lines = [f"{each}" for each in broken]
    assert not lines, "\n".join(lines)


def test_module_opens_with_its_idea() -> None:
    nobody(path for path in HOUSE if not ast.get_docstring(tree(path)))


def test_no_function_outgrows_screen() -> None:
    limit = FUNCTION_LINES_MAX
    held = [
        hold(path, node.name, lines_of(node), limit) for path in HOUSE for node in functions(path)
    ]
    nobody(line for line in held if line)


def test_no_file_exceeds_its_limit() -> None:
    held = [hold(path, "", len(text(path).splitlines()), line_limit(path)) for path in HOUSE]
    nobody(line for line in held if line)


def test_exceptions_are_about_what_exists() -> None:
    named = {(path, node.name) for path in HOUSE for node in functions(path)}
    named |= {(path, "") for path in HOUSE}
    assert not LONGER.keys() - named


def imported_by(path: str) -> set[str]:
    """Return every dotted name that a module imports, or imports something from."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{node.module}")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def imported() -> frozenset[str]:
    """Return every dotted name that a module of ours imports, or imports something from."""
    return frozenset(name for path in SOURCES for name in imported_by(path))


TIERS = ("tests", "tests/contract/differential", "tests/e2e")


def mirrors(path: str) -> list[Path]:
    """Return where the test file of a source file may be.

    The paths are equal, without the underscores of `__main__`, and without `crdb` in the tiers that
    only the database has. Functions that write values of a type are tested with the type, or with
    the component that they write to.
    """
    source = Path(path)
    is_writing = path.startswith("crdt/writes/")
    folders = ["crdt/types", "crdt/types/components"] if is_writing else [str(source.parent)]
    name = f"test_{source.stem.strip('_')}.py"
    return [
        Path(tier, folder if tier == "tests" else folder.removeprefix("crdb/"), name)
        for tier in TIERS
        for folder in folders
    ]


def is_tested(path: str) -> bool:
    return any((ROOT / place).is_file() for place in mirrors(path))


def is_used(path: str) -> bool:
    """Return whether a module is imported, or found by the interpreter or the table of commands."""
    is_found = path.endswith("/__main__.py") or path.startswith("crdb/commands/")
    return is_found or path.removesuffix(".py").replace("/", ".") in imported()


def is_free_of_drivers(path: str) -> bool:
    """Return whether a module is a driver, or imports none."""
    named = {driver.removesuffix(".py").replace("/", ".") for driver in drivers()}
    return path in drivers() or not imported_by(path) & named


RULES = {"tested": is_tested, "used": is_used, "free of drivers": is_free_of_drivers}
MODULES = [path for path in SOURCES if not path.endswith("/__init__.py")]


def breaking(rule: str) -> list[str]:
    """Return the modules that break a rule without an exemption."""
    return [path for path in MODULES if not RULES[rule](path) and (rule, path) not in EXEMPT]


def test_every_module_has_its_test_file() -> None:
    nobody(f"{mirrors(path)[0]} is missing" for path in breaking("tested"))


def test_no_module_is_dead() -> None:
    nobody(f"nothing imports {path}" for path in breaking("used"))


def test_no_pure_module_imports_driver() -> None:
    nobody(f"{path} imports a driver" for path in breaking("free of drivers"))


@pytest.mark.parametrize(("rule", "path"), EXEMPT)
def test_exemption_is_needed(rule: str, path: str) -> None:
    assert path in SOURCES
    assert not RULES[rule](path)


def test_nothing_is_left_to_do() -> None:
    places = [*HOUSE, *DOCUMENTS, "Makefile", "pyproject.toml"]
    nobody(
        f"{path}: {line}"
        for path in places
        for line in text(path).splitlines()
        if FORBIDDEN.search(line)
    )


def titles(path: str) -> list[str]:
    """Return the first line of a document, and every title that is not it."""
    prose = re.sub(r"^```.*?^```", "", text(path), flags=re.MULTILINE | re.DOTALL)
    return [prose.partition("\n")[0], *re.findall(r"\n(# .*)", prose)]


def test_document_has_one_title() -> None:
    found = {path: titles(path) for path in DOCUMENTS}
    nobody(f"{path}: {n}" for path, n in found.items() if len(n) > 1 or n[0][:2] != "# ")


def marks_without_reason(path: str) -> list[int]:
    """Return the lines that leave a test out of the compiled run without a reason."""
    nodes = list(ast.walk(tree(path)))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call) and node.args}
    marks = [n for n in nodes if isinstance(n, ast.Attribute) and n.attr == "interpreted"]
    return [mark.lineno for mark in marks if id(mark) not in called]


def test_what_is_left_out_of_compiled_run_has_reason() -> None:
    nobody(
        f"{path}, line {line}"
        for path in python_files("tests")
        for line in marks_without_reason(path)
    )


def imports(path: str) -> set[str]:
    """Return the packages from which a module imports something."""
    nodes = list(ast.walk(tree(path)))
    names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    names |= {f"{node.module}" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_driver_is_one() -> None:
    banned = project()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    roots = {name.partition(".")[0] for name in banned} - {"typing"}
    nobody(f"{path} is none" for path in drivers() if not imports(path) & roots)


def undocumented(name: str, thing: object) -> Iterator[str]:
    """Return the name, and those of its public methods, that have no docstring."""
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return
    if not inspect.getdoc(thing):
        yield name
    if inspect.isclass(thing):
        for attribute, value in vars(thing).items():
            is_public = inspect.isroutine(value) and not attribute.startswith("_")
            if is_public and not inspect.getdoc(getattr(thing, attribute)):
                yield f"{name}.{attribute}"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_face_is_named_and_documented(package: str) -> None:
    module = importlib.import_module(package)
    face: list[str] = getattr(module, "__all__", [])
    assert len(face) == len(set(face))
    missing = [line for name in face for line in undocumented(name, getattr(module, name))]
    assert not missing
