"""`python -m sim` as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.__main__ import main


def run(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


def test_one_seed_gives_one_trace_whatever_the_hash_seed() -> None:
    first = run("42", "--minutes", "0.1", "--trace", hash_seed="1")
    again = run("42", "--minutes", "0.1", "--trace", hash_seed="2")

    def records(done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line for line in done.stdout.splitlines() if "CPU" not in line]

    assert len(records(first)) > 100
    assert records(first) == records(again)


def test_two_seeds_give_two(capsys: pytest.CaptureFixture[str]) -> None:
    main(["1", "--minutes", "0.05", "--trace"])
    first = capsys.readouterr().out
    main(["2", "--minutes", "0.05", "--trace"])
    assert capsys.readouterr().out != first


def test_many_seeds_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "1-3", "--minutes", "0.05"]) in {0, 2}
    assert "3" in capsys.readouterr().out


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "run.svg"
    main(["42", "--minutes", "0.05", "--svg", str(file)])
    assert file.read_text(encoding="utf-8").lstrip().startswith("<svg")


def test_scenarios_are_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[1] / "scenarios" / "set_add_wins.txt"
    assert main(["--scenario", str(file)]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    "arguments",
    [[], ["seven"], ["1", "--seeds", "1-2"], ["--seeds", "1-2", "--trace"], ["1", "--nonsense"]],
)
def test_a_wrong_call_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("sim: ")
    assert said.count("\n") == 1
