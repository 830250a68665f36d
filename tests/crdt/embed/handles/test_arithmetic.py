"""Counters calculate as Python's numbers do."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from crdt import Replica
from crdt.embed.handles.base import CounterHandle

BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    divmod,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]
CHANGES: list[Callable[[Any, Any], Any]] = [
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
]
UNARY: list[Callable[[Any], Any]] = [
    operator.pos,
    operator.neg,
    abs,
    round,
    partial(round, ndigits=-1),
    math.trunc,
    math.floor,
    math.ceil,
    int,
    float,
    bool,
    str,
    lambda number: f"{number}|{number:>8}",
]


def counter(value: float, key: str = "k") -> CounterHandle:
    handle = Replica(1).counter(key)
    handle += value
    return handle


@pytest.mark.parametrize("held", [7, -7, 2.5])
@pytest.mark.parametrize("other", [7, 3, -2, 0.5])
@pytest.mark.parametrize("act", BINARY)
def test_operators_use_value(act: Callable[[Any, Any], Any], held: float, other: float) -> None:
    assert act(counter(held), other) == act(held, other)
    assert act(other, counter(held)) == act(other, held)
    assert act(counter(held), counter(other)) == act(held, other)


@pytest.mark.parametrize("held", [0, 7, -16, 2.5])
@pytest.mark.parametrize("act", UNARY)
def test_functions_use_value(act: Callable[[Any], Any], held: float) -> None:
    found = act(counter(held))
    assert (found, type(found)) == (act(held), type(act(held)))


def test_counter_is_index() -> None:
    assert [*range(counter(3))] == [0, 1, 2]
    assert "abc"[counter(1)] == "b"
    assert hex(counter(255)) == "0xff"
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        range(counter(0.5))


def test_decimals_are_numbers() -> None:
    held: Any = counter(7)
    assert held < Decimal(8)
    assert held + Decimal(1) == Decimal(8)
    with pytest.raises(TypeError, match="expected a number, not str"):
        operator.add(held, "8")


def test_counters_are_added_to_counters() -> None:
    replica = Replica(1)
    one, other, growing = replica.counter("a"), replica.counter("b"), replica.counter_grow("c")
    other += 3
    one += other
    growing += other
    one -= growing
    one += one
    assert (one.value, other.value, growing.value) == (0, 3, 3)
    assert (one.increment(other), one.decrement(growing), one.add(other)) == (3, 0, 3.0)
    assert growing.increment(other) == 6
    fields = replica.hash("h")
    assert (fields.increment("f", other), fields.add("f", other)) == (3, 6.0)
    other += 0.5
    one += other
    assert one.value == 6.5


@pytest.mark.parametrize("act", CHANGES)
def test_change_by_other_operators_is_refused(act: Callable[[Any, Any], Any]) -> None:
    held = counter(7)
    with pytest.raises(TypeError, match=r"changes by its increments only: use \+= or increment"):
        act(held, 2)
    assert held.value == 7


def test_growing_counter_is_not_decreased() -> None:
    growing = Replica(1).counter_grow("c")
    growing += 2
    with pytest.raises(TypeError, match=r"only grows cannot be decreased: use replica.counter"):
        operator.isub(growing, 1)
    assert growing.value == 2
