"""The command `python -m sim`."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from crdt.types.components.register import Register, Write
from sim.campaign.run import Result, Run
from sim.command_line import main


def test_two_seeds_give_two(capsys: pytest.CaptureFixture[str]) -> None:
    main(["1", "--minutes", "0.05", "--trace"])
    first = capsys.readouterr().out
    main(["2", "--minutes", "0.05", "--trace"])
    assert capsys.readouterr().out != first


def test_many_seeds_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "1-3", "--minutes", "0.01"]) in {0, 2}
    assert "3" in capsys.readouterr().out


def test_picture_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "run.svg"
    main(["42", "--regions", "2", "--followers", "0", "--minutes", "0.01", "--svg", str(file)])
    assert file.read_text(encoding="utf-8").lstrip().startswith("<svg")


def test_unwritable_picture_is_reported_before_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["42", "--svg", str(tmp_path / "nowhere" / "run.svg")])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"sim: {tmp_path}/nowhere/run.svg: No such file or directory\n"


def test_scenarios_are_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[1] / "scenarios" / "set_add_wins.txt"
    assert main(["--scenario", str(file)]) == 0
    capsys.readouterr()


def test_changed_scenario_is_shown_and_rewritten_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = (Path(__file__).parents[1] / "scenarios" / "set_add_wins.txt").read_text("utf-8")
    file = tmp_path / "wrong.txt"
    file.write_text(right.replace("us> SMEMBERS cart: []", "us> SMEMBERS cart: [b'milk']"))
    assert main(["--scenario", str(file)]) == 1
    reported = capsys.readouterr().out.splitlines()
    assert "-us> SMEMBERS cart: [b'milk']" in reported
    assert "+us> SMEMBERS cart: []" in reported
    assert file.read_text("utf-8") != right
    assert main(["--scenario", str(file), "--write"]) == 0
    assert file.read_text("utf-8") == right


@pytest.mark.parametrize("content", [None, b"\xff", b"regions eu us\nnonsense\n"])
def test_scenario_that_cannot_be_read_is_one_line(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.txt"
    if content is not None:
        file.write_bytes(content)
    assert main(["--scenario", str(file)]) == 2
    output = capsys.readouterr().err
    assert output.startswith(f"sim: {file}: ")
    assert output.count("\n") == 1


@pytest.mark.interpreted("plants a bug in a compiled class")
def test_failing_run_is_shrunk_and_replayed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted bug: of concurrent writes, the last one to arrive is shown."""
    show = Register.show

    def show_last(
        register: Register, writes: list[Write], retained: list[Write] | None = None
    ) -> None:
        show(register, writes, retained)
        if register.sibling_writes:
            register.value = writes[-1].value

    monkeypatch.setattr(Register, "show", show_last)
    file = tmp_path / "small.txt"
    options = ["--regions", "2", "--followers", "0", "--minutes", "0.03", "--faults", "cut"]
    assert main(["3", *options, "--shrink", "--save", str(file)]) == 1
    output = capsys.readouterr().out
    text = file.read_text("utf-8")
    assert output.endswith(f" steps are enough:\n\n{text}")
    assert "\nrun 3\n" in text
    outcome = text.splitlines()[-1]
    assert outcome.startswith("invalid: ")
    assert text.count("\nat ") < 12
    assert main(["--scenario", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}: {outcome}\n"
    picture = tmp_path / "small.svg"
    assert main(["--scenario", str(file), "--svg", str(picture)]) == 1
    assert picture.read_text("utf-8").startswith("<svg")
    capsys.readouterr()
    monkeypatch.undo()
    assert main(["--scenario", str(file)]) == 1
    assert f"-{outcome}" in capsys.readouterr().out
    assert main(["--scenario", str(file), "--write"]) == 0
    assert main(["--scenario", str(file)]) == 0


def test_scenario_survives_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file was once emptied, and the message said that standard output was full."""
    right = (Path(__file__).parents[1] / "scenarios" / "set_add_wins.txt").read_text("utf-8")
    file = tmp_path / "story.txt"
    before = right.replace("us> SMEMBERS cart: []", "us> SMEMBERS cart: [b'milk']")
    file.write_text(before, encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, limits[1]))
    try:
        with pytest.raises(SystemExit) as ended:
            main(["--scenario", str(file), "--write"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"sim: {file}: File too large\n"
    assert file.read_text("utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["story.txt"]


def test_interrupt_prints_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_run: Run, _steps: object) -> Result:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "play_steps", interrupt)
    assert main(["1"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_on_terminal_progress_is_shown_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    main(["1", "--minutes", "0.2"])
    shown = capsys.readouterr().err
    assert " virtual s, " in shown
    assert shown.endswith("\r\x1b[K")
    main(["--seeds", "1-2", "--minutes", "0.02"])
    shown = capsys.readouterr().err
    assert "2 of 2 runs" in shown
    assert shown.endswith("\r\x1b[K")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["seven"],
        ["1", "--seeds", "1-2"],
        ["--seeds", "1-2", "--trace"],
        ["1", "--nonsense"],
        ["1", "--jobs", "2"],
        ["1", "--write"],
        ["1", "--save", "file"],
        ["--seeds", "1-2", "--save", "file"],
        ["1", "--scenario", "file"],
        ["--scenario", "file", "--minutes", "1"],
        ["1", "--svg", "."],
        ["--scenario", "one", "two", "--svg", "file.svg"],
    ],
)
def test_wrong_call_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr().err
    assert output.startswith("sim: ")
    assert output.count("\n") == 1


def test_seed_that_does_not_end_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["7", "--minutes", "5", "--cpu", "0.2"]) == 1
    assert "invalid: CPU time: no end after 0 s of CPU time, " in capsys.readouterr().out


def test_campaign_with_few_checks_has_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def little(_results: object) -> list[str]:
        return ["ring: never"]

    monkeypatch.setattr("sim.command_line.shortfalls", little)
    command = ["--seeds", "1-1", "--minutes", "0.05"]
    assert main(command) == 3
    assert "too little    ring: never" in capsys.readouterr().out
    assert main([*command, "--regions", "3"]) == 0


def test_scenario_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[1] / "scenarios" / "set_add_wins.txt"
    picture = tmp_path / "story.svg"
    assert main(["--scenario", str(file), "--svg", str(picture)]) == 0
    assert "SADD cart milk" in picture.read_text(encoding="utf-8")
    away = tmp_path / "nowhere" / "story.svg"
    assert main(["--scenario", str(file), "--svg", str(away)]) == 2
    assert capsys.readouterr().err == f"sim: {away}: No such file or directory\n"
