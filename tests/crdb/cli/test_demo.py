"""The demo runs to the end, and then reports convergence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis

from crdb.cli import demo
from crdb.cli.main import main

WIDTH = 80


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PAUSE_SECONDS", 0.0)


def test_story_ends_well_and_fits_every_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    reported, errors = capfd.readouterr()
    assert "\nconverged\n" in reported
    assert "WRONG" not in reported
    assert errors == ""
    rows = [line for line in reported.splitlines() if line.startswith("  ") and line.strip()]
    for conflict in demo.CONFLICTS:
        rows_of = [line for line in rows if line.split()[0] == conflict.title.split()[0]]
        assert len(rows_of) == 3, "writes, readings and the end, each on one line"
        assert rows_of[2].rstrip().endswith(conflict.why)
    assert all(len(line) <= WIDTH for line in reported.splitlines())


def test_no_headline_is_cut_off_on_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "WIDTH", 60)
    assert demo.main() == 0
    assert "…" not in capfd.readouterr().out


def test_unequal_digests_are_failure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = attrs.evolve(demo.CONFLICTS[0], expected="111")
    monkeypatch.setattr(demo, "CONFLICTS", (wrong, *demo.CONFLICTS[1:]))
    assert demo.main() == 1
    reported = capfd.readouterr().out
    assert "110, 110, 110" in reported
    assert "WRONG: 111 expected" in reported
    assert reported.rstrip().endswith("NOT converged")


def test_regions_that_do_not_converge_are_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "CONVERGE_MS", 1)
    with pytest.raises(SystemExit, match="within 1 ms"):
        demo.main()


def test_region_that_dies_is_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(clients: list[Any]) -> None:
        raise redis.ConnectionError(f"{len(clients)} gone")

    monkeypatch.setattr(demo, "write_before", hang_up)
    with pytest.raises(SystemExit, match="the story broke off: 3 gone"):
        demo.main()


def test_regions_that_do_not_start_are_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "REGIONS", ("us-east-1", "us-east-1"))
    with pytest.raises(SystemExit, match="did not start"):
        demo.main()


def test_it_ends_with_command_that_works_from_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "crdb").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert demo.command_name() == ".venv/bin/crdb"
    programs.parent.rename(tmp_path / "our tools")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "our tools" / "bin" / "python"))
    assert demo.command_name() == "'our tools/bin/crdb'"
    monkeypatch.setenv("PATH", str(tmp_path / "our tools" / "bin"))
    assert demo.command_name() == "crdb"


def test_replies_are_shown_as_people_write_them() -> None:
    assert demo.format_reply(None) == "(nil)"
    assert demo.format_reply({"b", "a"}) == "{a, b}"
    assert demo.format_reply(["x"]) == r"\[x]"
    assert demo.format_reply(3) == "3"
