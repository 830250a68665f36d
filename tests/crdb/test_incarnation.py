"""No dot is issued twice: restarts are counted on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.incarnation import FILE, StateError, next_incarnation
from crdt.dots import INCARNATION_MAX


def test_every_start_counts_from_nought(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    assert [next_incarnation(directory) for _ in range(3)] == [0, 1, 2]


def test_nothing_but_the_number_is_left_behind(tmp_path: Path) -> None:
    next_incarnation(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("seven\n")
    with pytest.raises(StateError, match="cannot count restarts"):
        next_incarnation(tmp_path)
    assert (tmp_path / FILE).read_text() == "seven\n"


def test_the_numbers_run_out_loudly(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{INCARNATION_MAX}\n")
    with pytest.raises(StateError, match="is not 0"):
        next_incarnation(tmp_path)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError):
        next_incarnation(tmp_path / "file" / "below")
