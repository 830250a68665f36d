"""The guide to adding a command works: its steps are carried out on a copy of the packages."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.checkout.guide_steps import ROOT, changed_files, prove

GUIDE = "add-a-command.md"


def test_command_added_by_guide_replies_as_shown(tmp_path: Path) -> None:
    prove(tmp_path, GUIDE, ("crdb", "crdt", "geo", "replication"))


def test_guide_changes_one_file() -> None:
    text = (ROOT / "docs" / "how-to" / GUIDE).read_text()
    assert changed_files(text) == ["crdb/commands/sets/sets.py"] * text.count("```diff")
