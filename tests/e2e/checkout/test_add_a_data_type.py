"""The guide to adding a data type works: its steps are carried out on a copy of the packages."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.checkout.guide_steps import prove


def test_type_added_by_guide_works_everywhere(tmp_path: Path) -> None:
    prove(tmp_path, "add-a-data-type.md", ("crdb", "crdt", "geo", "replication", "sim"))
