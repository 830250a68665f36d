"""Grow-only counters: they add up, and keep increments that a delete had not observed."""

from __future__ import annotations

import pytest

from crdt import CounterOverflow, DecodeError, Replica
from crdt.causality.dots import make_dot
from crdt.numbers.number import COUNTER_MAX
from crdt.types.grow_counter import GrowCounter
from crdt.writes import grow_counter as grows
from tests.crdt.exchange import converge, exchange, held, regions


def test_increments_of_all_regions_add_up() -> None:
    here, there = regions(2)
    assert here.counter_grow("k").increment() == 1
    assert there.counter_grow("k").increment(10) == 10
    exchange(here, there)
    assert here.counter_grow("k").increment(5) == 16
    exchange(here, there)
    assert int(there.counter_grow("k")) == 16
    assert held(there).visible() == 16
    assert held(there).min_dot() == make_dot(here.origin, 2)


def test_grow_counter_never_shrinks() -> None:
    here = Replica(1)
    with pytest.raises(ValueError, match="only grows"):
        here.counter_grow("k").increment(-1)
    here.counter_grow("k").increment(COUNTER_MAX)
    with pytest.raises(CounterOverflow):
        here.counter_grow("k").increment(1)
    assert here.keyspace.seq == 1


def test_delete_takes_back_what_it_saw() -> None:
    """Rule CTR-4."""
    here, there = regions(2)
    here.counter_grow("k").increment(5)
    exchange(here, there)
    here.counter_grow("k").increment(2)
    there.counter_grow("k").delete()
    exchange(here, there)
    assert here.counter_grow("k").value == there.counter_grow("k").value == 2
    there.keyspace.flush()
    exchange(here, there)
    assert grows.increment(there.keyspace, b"k", 3) == 3
    converge(here, there)
    assert not here.keyspace.garbage
    assert here.counter_grow("k").value == 3


def test_delete_of_what_does_not_count_resets_nothing() -> None:
    value = GrowCounter()
    assert value.resets() is None
    assert value.is_empty()


def test_states_merge_like_operations() -> None:
    here, there = regions(2)
    here.counter_grow("k").increment(5)
    there.counter_grow("k").increment(7)
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert here.to_bytes() == there.to_bytes()
    assert here.counter_grow("k").value == 12


def test_invalid_counter_state_is_refused() -> None:
    with pytest.raises(DecodeError):
        GrowCounter().load((1, 2))
