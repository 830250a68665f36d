"""Check the documents: paths and links exist, and examples in docstrings run."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from crdb.engine.events import operator_events, script_events
from crdb.engine.events.event_bases import EVENTS
from crdt.errors import DecodeError
from crdt.testing.running import SAME_RESULTS
from crdt.types.registry import BUILT_IN
from replication.protocol.codec import KINDS
from tests.documents import BLOCK, rules_cited

ROOT = Path(__file__).parents[1]
PACKAGES = ("crdt", "replication", "geo", "crdb", "sim")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/data/README.md")])
EXAMPLES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text()
)
APART = {"README.md", "docs/tutorial.md"}
"""Documents whose examples need a server or a process: tests of their own run these."""
SESSIONS = [
    path
    for path in DOCUMENTS
    if "\n>>> " in path.read_text() and str(path.relative_to(ROOT)) not in APART
]
EXAMPLES_MIN = {"docs/formats.md": 30, "docs/how-to/embed.md": 20}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MODULE = re.compile(r"`((?:crdt|replication|geo|crdb|sim|tools)(?:\.\w+)+)(?:\(.*?\))?`")
SOURCE = re.compile(r"`((?:crdt|replication|geo|crdb|sim|tests|docs|bench|examples)/[\w./-]+)`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose_of(path: Path) -> str:
    """Return the document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = [link for link in LINK.findall(prose_of(path)) if "://" not in link]
    assert not [link for link in targets if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_file_that_is_named_exists(path: Path) -> None:
    assert not [file for file in SOURCE.findall(path.read_text()) if not (ROOT / file).exists()]


def exists(name: str) -> bool:
    """Return whether a dotted name is that of a module, or of something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[count:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if p.name != "CHANGELOG.md"], ids=name_of)
def test_every_module_that_is_named_exists(path: Path) -> None:
    assert not [name for name in MODULE.findall(path.read_text()) if not exists(name)]


@pytest.mark.parametrize("path", SESSIONS, ids=name_of)
def test_examples_of_page_run(path: Path) -> None:
    failed, attempted = doctest.testfile(str(path), module_relative=False)
    assert attempted > EXAMPLES_MIN.get(name_of(path), 5)
    assert failed == 0


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first heading is this."""
    table = page.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    lines = table.split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_frame_is_described_with_its_fields() -> None:
    page = (ROOT / "docs" / "formats.md").read_text()
    described = [tuple(row) for row in rows_of(page.partition("## Frames")[2], "kind")]
    assert described == [
        (str(number), kind.__name__, ", ".join(kind.__annotations__))
        for number, (kind, _) in KINDS.items()
    ]


def is_known(code: int, operation: int) -> bool:
    """Return whether effects of this operation belong to one of our own types."""
    try:
        BUILT_IN.check_effect((code, operation, b"key"))
    except DecodeError as error:
        return "unknown" not in str(error) and "version" not in str(error)
    return True


def test_every_kind_of_effect_is_described() -> None:
    page = (ROOT / "docs" / "formats.md").read_text()
    described = [tuple(row[:2]) for row in rows_of(page.partition("### Effects")[2], "code")]
    known = [(code, each) for code in range(128) for each in range(256) if is_known(code, each)]
    assert described == [(f"{code}", f"{operation}") for code, operation in known]


def printed_by(source: str, names: dict[str, Any]) -> str:
    """Return the output of an example, or the text of its error."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "an example", "exec"), names)
    except (AssertionError, ValueError) as error:
        return f"{error}\n" if str(error) else repr(error)
    return printed.getvalue()


def test_examples_of_checking_type_print_what_is_shown() -> None:
    """A block of text follows an example that prints or raises. It may end in `...`."""
    found = BLOCK.findall((ROOT / "docs" / "how-to" / "test-your-own-type.md").read_text())
    assert len([kind for kind, _ in found if kind == "text"]) > 4
    names: dict[str, Any] = {"__name__": "check_your_type"}
    for (kind, source), (following, text) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind == "python":
            shown = text if following == "text" else ""
            start, is_cut, _ = shown.partition("...\n")
            printed = printed_by(source, names)
            assert (printed[: len(start)] if is_cut else printed) == start, source


def test_every_law_is_described_once() -> None:
    page = (ROOT / "docs" / "how-to" / "test-your-own-type.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \|", page.partition("## The laws")[2], re.MULTILINE)
    described = [row for row in rows if row not in {"law", "---"}]
    sources = "".join(path.read_text() for path in (ROOT / "crdt" / "testing").rglob("*.py"))
    raised = re.findall(r"(?:Disagreement|count|expect|expect_same)\(\s*\"([^\"]+)\"", sources)
    assert len(raised) > 20
    assert sorted(described) == sorted({*raised, SAME_RESULTS})


def test_every_page_is_reached_from_index() -> None:
    pages = {path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")}
    found = {ROOT / "docs" / "index.md"}
    frontier = list(found)
    while frontier:
        page = frontier.pop()
        linked = {(page.parent / link).resolve() for link in LINK.findall(prose_of(page))}
        fresh = (linked & pages) - found
        found |= fresh
        frontier += fresh
    assert found == pages


def test_every_event_is_described() -> None:
    assert all(module.__doc__ for module in (operator_events, script_events))  # they fill EVENTS
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "docs/events.md").read_text(), re.MULTILINE)
    assert set(rows) - {"event", "---"} == EVENTS.keys()


RULE_ID = re.compile(r"\b(?:[A-Z]{3}-\d+|D-\d{2})\b")
NO_RULES = {"CRC-32", "CRC-64", "SHA-1", "SHA-256", "UTF-8"}
RULE_ROWS = re.findall(
    r"^\| ([A-Z]+-\d+) \|.*\| ([^|]*) \|$", (ROOT / "docs" / "rules.md").read_text(), re.MULTILINE
)


def test_every_rule_that_is_cited_is_described_once() -> None:
    described = [rule for rule, _ in RULE_ROWS]
    assert len(described) == len(set(described))
    files = [path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")]
    cited = {rule for path in [*files, *DOCUMENTS] for rule in RULE_ID.findall(path.read_text())}
    assert cited - NO_RULES - set(described) == set()


@pytest.mark.parametrize(("rule", "tests"), RULE_ROWS, ids=[rule for rule, _ in RULE_ROWS])
def test_every_rule_has_tests_that_cite_it(rule: str, tests: str) -> None:
    paths = [ROOT / name for name in SOURCE.findall(tests)]
    assert paths
    assert all(rule in rules_cited(path.read_text()) for path in paths)


def test_glossary_has_each_word_once() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    words = [word for word in rows if word not in {"word", "---"}]
    assert len(words) > 50
    assert len(words) == len(set(words))


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_examples_run(path: Path) -> None:
    module = importlib.import_module(
        name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    )
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
