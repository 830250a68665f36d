"""No dot is issued twice: the first life is drawn by lot, restarts are counted on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.region.incarnation import (
    FILE,
    RegionStart,
    StateError,
    begin_incarnation,
    draw_incarnation,
    write_incarnation,
)
from crdt.causality.dots import INCARNATION_MAX


def test_lives_count_up_from_one_that_is_drawn(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    first, second, third = [begin_incarnation(directory) for _ in range(3)]
    assert (first.is_first, second.is_first, third.is_first) == (True, False, False)
    assert second.incarnation == (first.incarnation + 1) & INCARNATION_MAX
    assert third.incarnation == (second.incarnation + 1) & INCARNATION_MAX


def test_a_region_whose_file_was_lost_is_somebody_new() -> None:
    """They all were incarnation 0, and gave their new writes the dots of old ones."""
    lives = {begin_incarnation(None).incarnation for _ in range(50)}
    assert len(lives) > 40
    assert all(0 <= draw_incarnation() <= INCARNATION_MAX for _ in range(50))
    assert begin_incarnation(None).is_first


def test_nothing_but_the_number_is_left_behind(tmp_path: Path) -> None:
    begin_incarnation(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_another_incarnation_that_was_taken_meanwhile_is_remembered(tmp_path: Path) -> None:
    begin_incarnation(tmp_path)
    write_incarnation(tmp_path, 77)
    assert begin_incarnation(tmp_path) == RegionStart(78, False)
    write_incarnation(None, 5)
    with pytest.raises(StateError):
        write_incarnation(tmp_path / "nowhere", 5)


@pytest.mark.parametrize("text", ["seven\n", "-1\n", f"{INCARNATION_MAX + 1}\n", ""])
def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StateError) as told:
        begin_incarnation(tmp_path)
    assert str(told.value) == (
        f"{tmp_path / FILE}: cannot count restarts here: it holds {text.strip()!r}, which is not "
        "0..16383; delete the file, and the region draws a new number"
    )
    assert (tmp_path / FILE).read_text() == text


def test_after_the_last_number_comes_the_first(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{INCARNATION_MAX}\n")
    assert begin_incarnation(tmp_path) == RegionStart(0, False)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r": cannot count restarts here: Not a directory$"):
        begin_incarnation(tmp_path / "file" / "below")
