"""The order of lists: permitted and forbidden changes."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.testing import SUBJECTS, World, parse
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.builtin_types.list_order import ListOrder, check_runs
from crdt.testing.history import HistoryEvent

ONE, TWO = 1 << 40 | 1, 2 << 40 | 1


def test_two_elements_never_change_places() -> None:
    order = ListOrder(("k",))
    order.check_places([(ONE, 0), (TWO, 0)])
    order.check_places([(TWO, 0)])
    with pytest.raises(AssertionError, match="changed places"):
        order.check_places([(TWO, 0), (ONE, 0)])


def push(dot: int, index: int, past: int) -> HistoryEvent:
    return HistoryEvent(TypeCommand("PUSH", "k"), dot, 0, 0, index, past)


def test_unobserved_run_stays_together() -> None:
    names = [(ONE, 0), (TWO, 0), (ONE, 1)]
    check_runs(names, {ONE: push(ONE, 0, 0), TWO: push(TWO, 1, 0b1)})
    with pytest.raises(AssertionError, match="came into the run"):
        check_runs(names, {ONE: push(ONE, 0, 0), TWO: push(TWO, 1, 0)})


def test_lists_of_world_are_watched() -> None:
    subject = SUBJECTS["list"]
    world = World(subject)
    world.run_on(parse(subject, "write 1 RPUSH k b c d\nwrite 1 LINSERT k 1 i\nsettle"))
    extra_check: Any = world.checks.extra_check
    assert isinstance(extra_check, ListOrder)
    assert len(extra_check.before) == 6
    extra_check.check(world.sites[1].replica, world.checks.history(world.sites[1].replica))
