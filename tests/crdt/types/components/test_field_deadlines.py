"""Deadlines of fields of a hash."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError
from crdt.causality.dots import make_dot
from crdt.causality.schema import FOREVER
from crdt.types.components.field_deadlines import FieldDeadlines, written_dots
from crdt.types.components.lone_write import LoneText

ONE, TWO, THREE = (make_dot(1, seq) for seq in (1, 2, 3))
FIELD = LoneText(ONE, 0, b"v")


def test_field_without_entry_does_not_expire() -> None:
    assert FieldDeadlines().deadline(b"f", FIELD) == FOREVER
    assert written_dots(None) == []


def test_state_of_another_form_is_refused() -> None:
    wrong: list[Any] = [(b"f",), (b"f", (), ()), (b"f", (ONE, -1), ()), (1, (ONE, 5), ())]
    for state in wrong:
        with pytest.raises(DecodeError):
            FieldDeadlines().load(state)


def test_state_survives() -> None:
    timers = FieldDeadlines()
    timers.put(b"f", FIELD, ((TWO, 50), (ONE,)))
    timers.put(b"g", None, ((THREE, FOREVER), ()))
    loaded = FieldDeadlines().load(timers.state())
    assert loaded == {b"f": ((TWO, 50), (ONE,)), b"g": ((THREE, FOREVER), ())}
    assert timers.deadline(b"f", FIELD) == 50
    assert timers.deadline(b"f", LoneText(THREE, 0, b"w")) == FOREVER


def test_outdated_entries_of_the_heap_are_dropped() -> None:
    timers = FieldDeadlines()
    for deadline in range(1000):
        timers.put(b"f", FIELD, ((TWO, deadline), (ONE,)))
    assert len(timers.heap) < 200
    assert max(timers.heap)[0] == 999
