"""Carry out the guide to adding a data type, on a copy of the package."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.checkout.guide_steps import prove


def test_type_added_by_guide_converges(tmp_path: Path) -> None:
    shown = prove(tmp_path, "add-a-data-type.md", ("crdt",))
    assert shown == "20 schedules: all regions agree\n"
