"""Figures of the process in INFO."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from crdb.engine.metrics.memory import PLENTY, RESERVE_BYTES
from crdb.net import process
from tests.crdb.raw import instance


def test_without_proc_peak_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STATM", Path("/nothing/here"))
    assert process.resident_bytes() > 1_000_000


def test_system_limits_leave_tenth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mapped, resident = process.memory_bytes()
    assert mapped > resident > 1_000_000

    def as_limit(_kind: int) -> tuple[int, int]:
        return 2 * mapped, 2 * mapped

    monkeypatch.setattr(process.resource, "getrlimit", as_limit)
    monkeypatch.setattr(process, "CGROUP", tmp_path / "missing")
    limits = process.ProcessLimits()
    assert process.address_bytes_max() == int(0.9 * 2 * mapped)
    assert limits.probe()[1] <= int(0.9 * 2 * mapped) - 1_000_000
    monkeypatch.setattr(process, "CGROUP", groups(tmp_path, "0::/a/b\n", "a/b/memory.max", "max"))
    assert process.ProcessLimits().resident_bytes == int(0.9 * PLENTY)


def test_usable_memory_is_that_of_control_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "CGROUP", tmp_path / "missing")
    assert process.usable_bytes() == process.system_bytes() > 1_000_000
    monkeypatch.setattr(process, "CGROUP", groups(tmp_path, "0::/a\n", "a/memory.max", "4711"))
    monkeypatch.setattr(process, "CGROUPS", tmp_path)
    assert process.usable_bytes() == 4711


@pytest.mark.parametrize(("room", "counted"), [(0, 7), (RESERVE_BYTES - 1, 7), (RESERVE_BYTES, 0)])
def test_free_heap_counts_near_limit(
    monkeypatch: pytest.MonkeyPatch, room: int, counted: int
) -> None:
    monkeypatch.setattr(process, "memory_bytes", lambda: (1000, 500))
    monkeypatch.setattr(process, "address_bytes_max", lambda: 1000 + room)
    monkeypatch.setattr(process, "cgroup_limits", list)
    monkeypatch.setattr(process, "heap_bytes_free", lambda: 7)
    assert process.ProcessLimits().probe() == (500, room + counted)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        (("0::/a/b\n", "a/b/memory.max", "1000\n"), [1000]),
        (("0::/a/b\n", "memory.max", "1000\n"), [1000]),
        (("0::/\n", "memory.max", "max\n"), []),
        (("4:memory:/a\n3:cpu:/a\n", "memory/a/memory.limit_in_bytes", "77"), [77]),
        (("3:cpu:/a\n", "memory/a/memory.limit_in_bytes", "77"), []),
    ],
)
def test_limits_of_control_groups(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tree: tuple[str, str, str], found: list[int]
) -> None:
    monkeypatch.setattr(process, "CGROUP", groups(tmp_path, *tree))
    monkeypatch.setattr(process, "CGROUPS", tmp_path)
    assert process.cgroup_limits() == found


def groups(folder: Path, lines: str, file: str, text: str) -> Path:
    """Return a tree of control groups, and the file that names those of a process."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    (folder / "own").write_text(lines)
    return folder / "own"


def test_instance_measures_its_process() -> None:
    database = instance()
    process.add_process_info(database)
    assert database.memory.used_bytes > 1_000_000
    database.config.put("maxmemory", "1")
    database.memory.set_limit(1, 0)
    assert database.memory.is_full()


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (1023, "1023B"), (1536, "1.50K"), (1 << 30, "1.00G"), (1 << 60, "1048576.00T")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert process.human(size) == text


def test_reserve_is_held_once_and_can_be_freed() -> None:
    reserve = process.Reserve()
    assert reserve.hold()
    held = reserve.held
    assert reserve.hold()
    assert reserve.held is held
    reserve.free()
    reserve.free()
    assert reserve.held is None
    assert reserve.hold()


@pytest.mark.parametrize(
    ("room", "free", "is_held"),
    [
        (0, PLENTY, False),
        (process.HELD_BYTES, process.MARGIN_BYTES - 1, False),
        (process.HELD_BYTES, process.MARGIN_BYTES, True),
    ],
)
def test_reserve_needs_margin(
    monkeypatch: pytest.MonkeyPatch, room: int, free: int, is_held: bool
) -> None:
    left = room

    class Mapping:
        def __init__(self, _file: int, size: int, *, flags: int) -> None:
            assert flags == process.PRIVATE
            nonlocal left
            if size > left:
                raise OSError(errno.ENOMEM, "Cannot allocate memory")
            left -= size

    monkeypatch.setattr(process.mmap, "mmap", Mapping)
    monkeypatch.setattr(process, "heap_bytes_free", lambda: free)
    reserve = process.Reserve()
    assert reserve.hold() == is_held
    assert (reserve.held is None) == (room == 0)
