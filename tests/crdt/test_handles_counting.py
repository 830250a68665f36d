"""Counters as numbers."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import CounterOverflow, NotANumber, Replica


@pytest.mark.parametrize("kind", ["counter", "counter_grow"])
def test_counter_is_used_as_number(kind: str) -> None:
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


def test_counter_takes_fractions_and_goes_down() -> None:
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
def test_counter_refuses_what_no_long_double_holds(amount: str) -> None:
    counter = Replica(1).counter("k")
    counter += 1
    with pytest.raises(NotANumber, match=f"'{amount}' is too large or too small to be added"):
        counter.add(amount)
    assert counter.value == 1


FRACTION = "holds 1.5, which is not a 64-bit integer: use add"


def test_increment_refuses_fraction_and_add_does_not() -> None:
    counter = Replica(1).counter("k")
    counter.add(1.5)
    for count in (counter.increment, counter.decrement):
        with pytest.raises(NotANumber, match=f"counter b'k' {FRACTION}"):
            count()
    counter += 1
    assert counter.add(0.5) == 3.0
    assert counter.increment() == 4, "an integer again"


def test_fraction_of_another_replica_is_added_to() -> None:
    here, there = Replica(1), Replica(2)
    here.counter("k").increment()
    there.counter("k").add(0.5)
    here.merge(there.snapshot())
    counter = here.counter("k")
    counter += 1
    assert counter == 2.5


def test_text_that_is_integer_otherwise_written_is_added_to() -> None:
    replica = Replica(1)
    replica.string("k").set("1e3")
    counter = replica.counter("k")
    counter += 1
    assert counter == 1001


@pytest.mark.parametrize("text", ["text", "inf", "x" * 100])
def test_non_number_is_not_read_as_zero(text: str) -> None:
    replica = Replica(1)
    replica.string("k").set(text)
    counter = replica.counter("k")
    calls: list[Any] = [
        counter.get,
        counter.increment,
        lambda: counter.add(1),
        lambda: counter == 0,
    ]
    for call in calls:
        with pytest.raises(
            NotANumber, match=f"b'k' holds '{text[:40]}.*not a number: set it"
        ) as caught:
            call()
        assert len(str(caught.value)) <= 120
    assert replica.string("k").get() == text


def test_count_beyond_range_is_named() -> None:
    replica = Replica(1)
    with pytest.raises(CounterOverflow, match=r"adding 576460752303423488 takes the counter b'k'"):
        replica.counter("k").increment(1 << 59)
    with pytest.raises(CounterOverflow, match=r"takes the field b'f' beyond 2\*\*59"):
        replica.hash("h").increment("f", 1 << 59)
    assert replica.keys() == []


def test_fields_are_counted_as_counters_are() -> None:
    fields = Replica(1).hash("h")
    assert fields.add("f", 1.5) == 1.5
    with pytest.raises(NotANumber, match=f"field b'f' {FRACTION}"):
        fields.increment("f")
    odd: Any = 1.5
    with pytest.raises(TypeError, match=r"int"):
        fields.increment("f", odd)
    assert fields.add("f", "0.5") == 2.0
    assert fields.increment("f") == 3
    fields["t"] = "text"
    with pytest.raises(NotANumber, match="field b't' holds 'text', which is not a number"):
        fields.increment("t")
    with pytest.raises(NotANumber, match="field b't' holds 'text', which is not a number"):
        fields.add("t", 1)
    with pytest.raises(NotANumber, match="too large or too small to be added"):
        fields.add("f", "1e5000")
    assert dict(fields) == {"f": "3", "t": "text"}


def test_error_for_binary_value_names_remedy() -> None:
    replica = Replica(1)
    replica.string(b"k").set(b"\xff")
    with pytest.raises(UnicodeDecodeError, match="made with a bytes key returns bytes"):
        replica.string("k").get()
    assert replica.string(b"k").get() == b"\xff"
