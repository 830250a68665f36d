"""Groups with many pending entries, and their help."""

from __future__ import annotations

from tests.crdb.regions import Regions


def filled(slice_items: int = 2) -> Regions:
    """Return a region whose group has five pending entries."""
    regions = Regions(2)
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    for ms in range(1, 6):
        regions.run(1, "XADD", "s", ms, "a", "b")
    regions.run(1, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    regions.instances[1].slice_items = slice_items
    return regions


def test_many_pending_entries_are_freed_in_slices() -> None:
    regions = filled()
    assert regions.run(1, "XGROUP", "DELCONSUMER", "s", "g", "c") == 5
    assert regions.run(1, "XPENDING", "s", "g")[0] == 0
    regions = filled()
    assert regions.run(1, "XGROUP", "DESTROY", "s", "g") == 1
    assert regions.run(1, "XINFO", "GROUPS", "s") == []


def test_many_entries_are_acknowledged_in_slices() -> None:
    regions = filled()
    assert regions.run(1, "XACK", "s", "g", *range(1, 4)) == 0
    assert regions.run(1, "XACK", "s", "g", *(f"{ms}-1" for ms in range(1, 6))) == 5
    regions.sync()
    assert regions.run(2, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">") is None


def test_help_lists_subcommands() -> None:
    regions = Regions(1)
    for container in ("XGROUP", "XINFO"):
        lines = [line.text for line in regions.run(1, container, "HELP")]
        assert lines[0].startswith(f"{container} <subcommand>".encode())
