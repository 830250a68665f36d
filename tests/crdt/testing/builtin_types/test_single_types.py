"""The meaning of single types."""

from __future__ import annotations

from typing import Any

from crdt.causality.dots import make_dot
from crdt.testing.builtin_types.single_types import add_wins, multi_value, remove_wins, total
from crdt.testing.history import HistoryEvent


def events(*commands: Any, past: tuple[int, ...]) -> list[HistoryEvent]:
    """Return operations, each with the bits of those that it had seen."""
    return [
        HistoryEvent(each, make_dot(index + 1, 1), 0, 0, index, past[index])
        for index, each in enumerate(commands)
    ]


def test_concurrent_add_and_remove() -> None:
    concurrent = events((0, "a"), (1, "a"), (0, "a"), past=(0, 1, 1))
    assert add_wins(concurrent) == {"a"}
    assert remove_wins(concurrent) == set()
    seen = events((0, "a"), (1, "a"), past=(0, 1))
    assert add_wins(seen) == set()


def test_writes_and_sums() -> None:
    writes = events((0, "a"), (0, "b"), (0, "c"), past=(0, 0, 1))
    assert multi_value(writes) == {"b", "c"}
    assert total(events((0, 2), (0, 3), past=(0, 0))) == 5
