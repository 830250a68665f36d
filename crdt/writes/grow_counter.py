"""Increase a counter that only grows."""

from __future__ import annotations

from crdt.numbers.number import Number, check_range, check_sum
from crdt.store.keyspace import Keyspace
from crdt.types.components import counter
from crdt.types.grow_counter import ADD, GROW, GrowCounter


def increment(db: Keyspace, key: bytes, delta: int) -> int:
    """Add `delta`. Return the new value.

    Raises ValueError if `delta` is negative, and CounterOverflow if the new value needs more than
    59 bits. Nothing is changed then.
    """
    if delta < 0:
        raise ValueError(f"this counter only grows; {delta} would make it shrink")
    held = db.remains(key, GROW)
    value, birth = delta, db.seq + 1
    amount: Number = delta
    if held is not None:
        assert isinstance(held, GrowCounter)
        value += held.total()
        birth, amount = counter.next_sum(held.shares, db.origin, birth, delta)
    check_range(value)
    check_sum(amount)
    db.emit((GROW, ADD, key, birth, amount))
    return value
