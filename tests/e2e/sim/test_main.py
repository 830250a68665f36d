"""Run `python -m sim` as a process."""

from __future__ import annotations

import os
import subprocess
import sys

import attrs
import pytest

from sim.campaign.run import Result, Run, Verdict
from sim.command_line import main


def run(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


def test_seed_gives_same_trace_under_any_hash_seed() -> None:
    first = run("42", "--minutes", "0.1", "--trace", hash_seed="1")
    again = run("42", "--minutes", "0.1", "--trace", hash_seed="2")

    def records(done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line for line in done.stdout.splitlines() if "CPU" not in line]

    assert len(records(first)) > 100
    assert records(first) == records(again)


def test_result_does_not_depend_on_number_of_jobs() -> None:
    one, two = (
        run("--seeds", "1-6", "--minutes", "0.1", "--faults", "pause", "--jobs", count)
        for count in ("1", "2")
    )
    assert one.returncode == two.returncode == 0
    assert one.stderr == two.stderr == ""

    def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line for line in done.stdout.splitlines() if "CPU" not in line]

    assert lines(one) == lines(two)
    assert "runs          6: valid 6" in lines(one)


def test_closed_output_ends_command_without_traceback() -> None:
    command = [sys.executable, "-m", "sim", "42", "--minutes", "0.1", "--trace"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(120) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("arguments", [("42",), ("--seeds", "1-2")])
def test_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sim", *arguments, "--minutes", "0.05"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 2
    assert done.stderr == "sim: standard output: No space left on device\n"


def test_many_runs_that_fail_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play = Run.play_steps

    def fail(run: Run, steps: object = None) -> Result:
        assert steps is None
        return attrs.evolve(play(run), verdict=Verdict.INVALID, promise="planted")

    monkeypatch.setattr(Run, "play_steps", fail)
    assert main(["--seeds", "1-2", "--minutes", "0.02"]) == 1
    assert capsys.readouterr().out.count("planted") >= 2
