"""Standard output that is full or closed."""

from __future__ import annotations

import io
import sys

import pytest

from crdb.cli.standard_output import READER_GONE, checked_output


class FailingOutput(io.TextIOBase):
    """A file whose flush fails."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def flush(self) -> None:
        raise self.error

    def fileno(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            OSError(28, "No space left on device"),
            5,
            "crdb: standard output: No space left on device\n",
        ),
        (BrokenPipeError(32, "Broken pipe"), READER_GONE, ""),
    ],
)
def test_failure_ends_command(
    error: OSError,
    status: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    discarded: list[int] = []

    def replace(_old: int, new: int) -> None:
        discarded.append(new)

    monkeypatch.setattr("os.dup2", replace)
    monkeypatch.setattr(sys, "stdout", FailingOutput(error))
    with pytest.raises(SystemExit) as ended, checked_output("crdb", 5):
        pass
    assert ended.value.code == status
    assert capsys.readouterr().err == text
    assert discarded == [1]


def test_error_of_another_file_is_passed_on() -> None:
    with pytest.raises(FileNotFoundError), checked_output("crdb", 5), open("/nowhere/at/all"):
        pass


def test_status_of_command_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(SystemExit) as ended, checked_output("crdb", 5):
        raise SystemExit(3)
    assert ended.value.code == 3


def test_output_that_was_closed_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with checked_output("crdb", 5):
        pass
    with pytest.raises(SystemExit) as ended, checked_output("crdb", 5):
        sys.stdout.write("a result")
    assert ended.value.code == 5
    assert sys.stdout is None
    assert capsys.readouterr().err == "crdb: standard output: Bad file descriptor\n"
