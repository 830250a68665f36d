"""The memory that the C library keeps."""

from __future__ import annotations

import pytest

from crdb.net import heap


def no_library(_name: str | None) -> object:
    """Return a C library without the functions of the GNU library."""
    return object()


def test_heap_holds_what_was_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other block stays allocated, so the freed ones cannot be returned to the system."""
    blocks = [bytes(2_000) for _ in range(20_000)]
    before = heap.heap_bytes_free()
    del blocks[::2]
    assert heap.heap_bytes_free() - before >= 10_000 * 2_000
    monkeypatch.setattr(heap.ctypes, "CDLL", no_library)
    assert heap.heap_bytes_free() == 0


def test_memory_is_kept_where_library_cannot_return_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.ctypes, "CDLL", no_library)
    heap.release_memory()
