"""The demo tells its story to the end, and only then says that all converged."""

from __future__ import annotations

import pytest

from crdb import demo


def test_the_story_ends_well(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "PAUSE_SECONDS", 0.0)
    assert demo.main() == 0
    told, errors = capfd.readouterr()
    assert told.rstrip().endswith("converged")
    assert "NOT" not in told
    assert errors == ""
    for conflict in demo.CONFLICTS:
        assert conflict.title in told


def test_replies_are_shown_as_people_write_them() -> None:
    assert demo.shown(None) == "(nil)"
    assert demo.shown({"b", "a"}) == "{a, b}"
    assert demo.shown(["x"]) == r"\[x]"
    assert demo.shown(3) == "3"
