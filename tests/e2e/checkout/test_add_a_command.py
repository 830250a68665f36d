"""Carry out the guide to adding a command, on a copy of the packages."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.checkout.guide_steps import ROOT, prove

GUIDE = "add-a-command.md"


def test_command_added_by_guide_replies_as_shown(tmp_path: Path) -> None:
    shown = prove(tmp_path, GUIDE, ("crdb", "crdt", "geo", "replication"))
    proof = (ROOT / "docs" / "how-to" / GUIDE).read_text().rpartition("```python")[2]
    expected = re.findall(r"# (.*)$", proof, re.MULTILINE)
    assert len(expected) > 8
    assert shown.splitlines() == expected


def test_guide_changes_one_file() -> None:
    text = (ROOT / "docs" / "how-to" / GUIDE).read_text()
    assert text.count("```diff") == 1
