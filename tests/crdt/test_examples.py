"""The examples in the docstrings of this package run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.interpreted("it reads sources")

PACKAGE = Path(__file__).parents[2] / "crdt"
SHOWN = sorted(
    str(path.relative_to(PACKAGE.parent).with_suffix("")).replace("/", ".")
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", SHOWN)
def test_example_runs(name: str) -> None:
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted > 0
    assert failed == 0


def test_there_are_examples() -> None:
    assert {
        "crdt.embed.replica",
        "crdt.types.custom",
        "crdt.causality.dots",
        "crdt.embed.handles.others",
    } <= set(SHOWN)
