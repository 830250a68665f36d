"""The state directory: the incarnation and the held vector on disk."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from crdb.region.core.incarnations import RegionStart
from crdb.region.state_directory import (
    HELD,
    INCARNATION,
    StateError,
    begin_incarnation,
    draw_incarnation,
    locked_directory,
    read_held_vector,
    write_held_vector,
    write_incarnation,
)
from crdt.causality.dots import INCARNATION_MAX

VECTOR = {16384: 5, 32770: 1 << 39}


def test_incarnations_count_up_from_random_number(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    first, second, third = [begin_incarnation(directory) for _ in range(3)]
    assert (first.is_first, second.is_first, third.is_first) == (True, False, False)
    assert second.incarnation == (first.incarnation + 1) & INCARNATION_MAX
    assert third.incarnation == (second.incarnation + 1) & INCARNATION_MAX


def test_start_without_directory_draws_number() -> None:
    """All such regions once had incarnation 0, and gave their new writes the dots of old ones."""
    numbers = {begin_incarnation(None).incarnation for _ in range(50)}
    assert len(numbers) > 40
    assert all(0 <= draw_incarnation() <= INCARNATION_MAX for _ in range(50))
    assert begin_incarnation(None).is_first


def test_directory_holds_number_alone(tmp_path: Path) -> None:
    begin_incarnation(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [INCARNATION]


def test_number_taken_while_running_is_kept(tmp_path: Path) -> None:
    begin_incarnation(tmp_path)
    write_incarnation(tmp_path, 77)
    assert begin_incarnation(tmp_path) == RegionStart(78, False)
    write_incarnation(None, 5)
    with pytest.raises(StateError):
        write_incarnation(tmp_path / "nowhere", 5)


@pytest.mark.parametrize("text", ["seven\n", "-1\n", f"{INCARNATION_MAX + 1}\n", ""])
def test_other_content_is_error(tmp_path: Path, text: str) -> None:
    (tmp_path / INCARNATION).write_text(text)
    with pytest.raises(StateError) as reported:
        begin_incarnation(tmp_path)
    assert str(reported.value) == (
        f"{tmp_path / INCARNATION}: cannot count restarts here: it holds {text.strip()!r}, which "
        "is not 0..16383; delete the file, and the region draws a new number"
    )
    assert (tmp_path / INCARNATION).read_text() == text


def test_zero_follows_last_number(tmp_path: Path) -> None:
    (tmp_path / INCARNATION).write_text(f"{INCARNATION_MAX}\n")
    assert begin_incarnation(tmp_path) == RegionStart(0, False)


def test_directory_that_cannot_be_made_is_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r": cannot count restarts here: Not a directory; make"):
        begin_incarnation(tmp_path / "file" / "below")


def test_written_vector_is_read(tmp_path: Path) -> None:
    assert read_held_vector(tmp_path) is None
    write_held_vector(tmp_path, {})
    assert read_held_vector(tmp_path) == {}
    write_held_vector(tmp_path, VECTOR)
    assert read_held_vector(tmp_path) == VECTOR
    assert [path.name for path in tmp_path.iterdir()] == [HELD]


def test_vector_needs_directory() -> None:
    write_held_vector(None, VECTOR)
    assert read_held_vector(None) is None


@pytest.mark.parametrize("text", ["\xff\xfe", "² 3", "1"])
def test_damaged_vector_is_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / HELD).write_text(text, encoding="utf-8")
    assert read_held_vector(tmp_path) is None


def test_vector_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"gone/held: cannot note what is held: No such file"):
        write_held_vector(tmp_path / "gone", VECTOR)
    (tmp_path / HELD).mkdir()
    with pytest.raises(StateError, match="held: cannot note what is held: Is a directory"):
        write_held_vector(tmp_path, VECTOR)
    assert [path.name for path in tmp_path.iterdir()] == [HELD]


def test_directory_is_locked_until_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    with locked_directory(directory):
        begin_incarnation(directory)
        with pytest.raises(StateError) as reported, locked_directory(directory):
            pass
        with locked_directory(tmp_path / "a" / "c"), locked_directory(None), locked_directory(None):
            pass
    assert str(reported.value) == (
        f"{directory}: another process uses this state directory; stop that process, or give each "
        "region a directory of its own"
    )
    with locked_directory(directory):
        assert [path.name for path in directory.iterdir()] == [INCARNATION]


def test_directory_on_file_system_without_locks_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked_directory(tmp_path), locked_directory(tmp_path):
        assert begin_incarnation(tmp_path).is_first


def test_directory_that_cannot_be_made_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as reported, locked_directory(tmp_path / "file" / "eu"):
        pass
    assert str(reported.value) == (
        f"{tmp_path / 'file' / 'eu'}: cannot count restarts here: Not a directory; make room, make "
        "it writable, or choose another directory with --state"
    )
