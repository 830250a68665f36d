"""Check the README: its Python runs, and its files and links exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from sim.command_line import main as simulate
from tests.documents import ROOT, blocks, commands, shell_lines, text_of

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

TEXT = text_of("README.md")
PROGRAMS = [text for text in blocks(TEXT, "python") if ">>>" not in text]


def test_examples_of_embedding_run() -> None:
    examples = [text for text in blocks(TEXT, "python") if ">>>" in text]
    runner = doctest.DocTestRunner()
    for text in examples:
        runner.run(doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0))
    assert runner.tries > 5
    assert runner.failures == 0


def test_wrong_type_is_refuted_as_shown() -> None:
    (program,) = (text for text in PROGRAMS if "check_type" in text)
    assert len([line for line in program.splitlines() if line]) <= 12
    (shown,) = blocks(TEXT, "text")
    with pytest.raises(AssertionError) as caught:
        exec(compile(program, "README.md", "exec"), {})
    law, _, call = shown.strip().partition("\n")
    assert law in str(caught.value)
    assert str(caught.value).endswith(call)


def test_picture_of_simulation_fits_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = (line for line in commands(TEXT, "python -m sim") if "--svg" in line)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    assert simulate(line) == 0
    assert capsys.readouterr().out == "", "the story goes as the file says"
    height = re.search(r'height="(\d+)"', (tmp_path / line[-1]).read_text(encoding="utf-8"))
    assert height is not None
    assert int(height[1]) < 1_200, "a picture for one screen: choose another story"


def test_two_commands_stand_at_top() -> None:
    assert shell_lines(TEXT)[:2] == [["make", "demo"], ["make", "test"]]
    assert len(TEXT.splitlines()) <= 150
