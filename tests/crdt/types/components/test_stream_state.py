"""Damaged states of streams are refused, and merges keep what one side has not seen."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.errors import DecodeError
from crdt.types.components.stream_state import join_dots, join_registers
from crdt.types.stream import Stream

TEXT = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
ENTRIES = (7, (5, 1), (0, 0), (1, 1), (TEXT, TEXT))
EMPTY: tuple[Any, ...] = (1, (), (), (), (), (), (), ())
DOT = 7 << 40 | 1


def changed(index: int, item: Any) -> tuple[Any, ...]:
    return (*EMPTY[:index], item, *EMPTY[index + 1 :])


def test_right_state_is_loaded() -> None:
    value = Stream()
    value.load(changed(1, ENTRIES))
    assert [entry[0] for entry in value.forward()] == [5, 6]


@pytest.mark.parametrize(
    "state",
    [
        (),
        changed(0, 2),
        changed(1, (*ENTRIES, *ENTRIES)),
        changed(1, (7, (), (), (), ())),
        changed(1, (7, (5,), (0, 0), (1, 1), (TEXT, TEXT))),
        changed(1, (7, (5, 0), (0, 0), (1, 1), (TEXT, TEXT))),
        changed(1, (7, (5, 1), (0, 0), (1, 0), (TEXT, TEXT))),
        changed(1, (7, (5, 1), (0, 0), (1, 1), (TEXT, b"x"))),
        changed(1, (7, (5, (1 << 64) - 1), (0, 0), (1, 1), (TEXT, TEXT))),
        changed(2, (7, 1, 1, 1)),
        changed(2, (7, 0, 1, 1, 1)),
        changed(3, (7, 1, -1, 1)),
        changed(4, (b"g", (), ())),
        changed(4, (b"g", (DOT, 1, 1), ())),
        changed(4, (b"g", (DOT, 1, 1, 1), (7, 1))),
        changed(5, (DOT, DOT)),
        changed(6, (0,)),
        changed(7, (b"g", ())),
    ],
)
def test_damaged_state_is_refused(state: Any) -> None:
    with pytest.raises(DecodeError):
        Stream().load(state)


def test_joins_keep_what_the_other_side_has_not_seen() -> None:
    one, two = 1 << 40 | 5, 2 << 40 | 5
    assert join_dots((one,), (two,), {1: 5}, {2: 5}) == (one, two)
    assert join_dots((one,), (), {1: 5}, {1: 5}) == ()
    assert join_dots((one,), (one,), {1: 5}, {1: 5}) == (one,)
    ours, others = {1: (5, 0, 0), 3: (1, 0, 0)}, {1: (6, 0, 0), 2: (1, 0, 0), 3: (1, 0, 0)}
    joined = join_registers(ours, others, {1: 5, 2: 1, 3: 1}, {1: 6, 3: 1})
    assert joined == {1: (6, 0, 0), 3: (1, 0, 0)}
