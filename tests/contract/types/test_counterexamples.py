"""Run the kept counterexamples."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdt.testing import (
    SUBJECTS,
    parse,
    run_script,
)

KEPT = sorted((Path(__file__).parent / "counterexamples").glob("*.txt"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_counterexample_that_was_kept(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    name = next(line for line in text.splitlines() if line.startswith("subject ")).split()[1]
    assert parse(SUBJECTS[name], text)
    run_script(SUBJECTS[name], text)
