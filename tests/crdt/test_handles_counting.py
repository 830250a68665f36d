"""Counters as numbers."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import NotANumber, Replica


@pytest.mark.parametrize("kind", ["counter", "counter_grow"])
def test_a_counter_is_used_as_a_number(kind: str) -> None:
    replica = Replica(1)
    counter: Any = getattr(replica, kind)("k")
    same = counter
    counter += 3
    assert counter is same
    assert counter == 3 == counter.value == counter.get() == int(counter)
    assert counter == getattr(replica, kind)("k")
    assert counter != 4
    assert (counter + 1, 1 + counter, counter - 1, 10 - counter) == (4, 4, 2, 7)
    assert (counter * 2, 2 * counter, -counter, abs(counter)) == (6, 6, -3, 3)
    assert counter + counter == 6
    assert 2 < counter < 4
    assert counter >= 3
    assert counter <= 3.0
    assert not counter > counter
    assert float(counter) == 3.0
    assert bool(counter)
    with pytest.raises(TypeError, match="expected a number, not str"):
        counter.__add__("1")
    with pytest.raises(TypeError, match="str"):
        counter += "1"
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    assert counter == 3


def test_a_counter_takes_fractions_and_goes_down() -> None:
    counter = Replica(1).counter("k")
    counter += 1
    counter += 0.5
    counter += 1
    counter -= 2
    assert counter.value == 0.5
    odd: Any = "1"
    with pytest.raises(TypeError, match="not str"):
        counter -= odd
    with pytest.raises(NotANumber):
        counter.increment()


@pytest.mark.parametrize("amount", ["1e5000", "-1e5000", "1e-5000"])
def test_a_counter_refuses_what_no_long_double_holds(amount: str) -> None:
    counter = Replica(1).counter("k")
    counter += 1
    with pytest.raises(NotANumber, match=f"'{amount}' is too large or too small to be added"):
        counter.add(amount)
    assert counter.value == 1
