"""The specification of HyperLogLogs, by hand-made histories."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.builtin_types.hyperloglog_meaning import hyperloglog
from crdt.testing.history import HistoryEvent

ONE = make_origin(1)


def happened(index: int, region: int, saw: list[int], name: str, *args: int) -> HistoryEvent:
    """Return an operation, which is the region's operation number `index` + 1."""
    dot = make_dot(make_origin(region), index + 1)
    past = sum(1 << each for each in saw)
    return HistoryEvent(TypeCommand(name, "k", args), dot, 0, 0, index, past)


def meaning(*about: HistoryEvent) -> object:
    """Return what the specification says of these operations."""
    clears = [event for event in about if event.command.name == "DEL"]
    return hyperloglog(list(about), clears)


FIRST = happened(0, 1, [], "PFRAISE", 65, 130)


def test_greatest_rank_of_each_register_is_shown() -> None:
    assert meaning(FIRST, happened(1, 2, [], "PFRAISE", 66)) == ([66, 130], ONE)


@pytest.mark.rule("HLL-3")
def test_clear_wins_over_concurrent_additions() -> None:
    clear = happened(1, 1, [0], "DEL")
    assert meaning(FIRST, clear, happened(2, 2, [0], "PFRAISE", 195)) is None
    assert meaning(FIRST, clear, happened(2, 2, [0, 1], "PFRAISE", 195)) == ([195], make_origin(2))


def test_clear_that_saw_nothing_has_no_effect() -> None:
    assert meaning(FIRST, happened(1, 2, [], "DEL")) == ([65, 130], ONE)
