"""What a region held, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.region.held import FILE, read_held_vector, write_held_vector

HELD = {16384: 5, 32770: 1 << 39}


def test_what_is_noted_is_read(tmp_path: Path) -> None:
    assert read_held_vector(tmp_path) is None
    write_held_vector(tmp_path, {})
    assert read_held_vector(tmp_path) == {}
    write_held_vector(tmp_path, HELD)
    assert read_held_vector(tmp_path) == HELD
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_without_a_directory_nothing_is_noted() -> None:
    write_held_vector(None, HELD)
    assert read_held_vector(None) is None


@pytest.mark.parametrize("text", ["1", "1 2 3", "a b", "\xff\xfe", "16384 -1", "² 3"])
def test_damaged_notes_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_held_vector(tmp_path) is None


def test_absurd_numbers_are_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"99999999999 1\n16384 {1 << 80}\n16385 7\n", encoding="ascii")
    assert read_held_vector(tmp_path) == {16385: 7}


def test_a_directory_that_is_gone_is_survived(tmp_path: Path) -> None:
    write_held_vector(tmp_path / "gone", HELD)
    (tmp_path / FILE).mkdir()
    write_held_vector(tmp_path, HELD)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
