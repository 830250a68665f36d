"""Test the file of users on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.region.acl_file import MODE_OF_NEW, AclFileOnDisk, draw_bits


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    file = AclFileOnDisk(str(path))
    file.write(b"user a on\n")
    assert mode_of(path) == MODE_OF_NEW
    path.chmod(0o640)
    before = path.stat().st_ino
    file.write(b"user b on\n")
    assert file.read() == b"user b on\n"
    assert mode_of(path) == 0o640
    assert path.stat().st_ino != before
    assert [each.name for each in tmp_path.iterdir()] == ["users.acl"]


def test_symbolic_link_is_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target.acl", tmp_path / "link.acl"
    target.write_bytes(b"old")
    link.symlink_to(target)
    AclFileOnDisk(str(link)).write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_failure_keeps_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_bytes(b"old")
    (tmp_path / "users.acl.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        AclFileOnDisk(str(path)).write(b"new")
    assert path.read_bytes() == b"old"
    with pytest.raises(FileNotFoundError):
        AclFileOnDisk(str(tmp_path / "none")).read()


def test_bits_are_random() -> None:
    drawn = {draw_bits(256) for _ in range(3)}
    assert len(drawn) == 3
    assert all(each < 1 << 256 for each in drawn)
