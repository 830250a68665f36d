"""Counters that only grow.

The sum of what all regions added, as in `counter`, but nothing can be taken away: the way to count
events for people who would notice if the figure fell. Deleting the key starts it again from what
the delete had not seen (rule CTR-4).
"""

from __future__ import annotations

from typing import Any, Final

from crdt.counter import Counter
from crdt.dots import Dot, Vector
from crdt.keyspace import Keyspace
from crdt.number import check_range, check_sum
from crdt.observed import Observed
from crdt.value import Effect, Value

GROW: Final = 8
ADD: Final = GROW << 4  #  (kind, key, birth, sum)


class GrowCounter(Value):
    """The shares of all origins."""

    __slots__ = ("counter",)

    def __init__(self) -> None:
        self.counter = Counter()

    def code(self) -> int:
        return GROW

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.counter.add(dot, effect[2], effect[3])

    def remove(self, observed: Observed, resets: object) -> None:
        if resets is not None:
            self.counter.reset(resets, observed.dot())

    def resets(self) -> object:
        return self.counter.resets()

    def total(self) -> int:
        """What readers see."""
        return int(self.counter.total())

    def alive(self) -> bool:
        return self.counter.live()

    def vacant(self) -> bool:
        return not self.counter.shares

    def lowest(self) -> Dot:
        return self.counter.lowest()

    def visible(self) -> object:
        return self.total()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, GrowCounter)
        self.counter.merge(other.counter, mine, theirs)

    def litter(self) -> bool:
        return self.counter.litter()

    def sweep(self, stable: Vector) -> bool:
        return self.counter.sweep(stable)

    def state(self) -> Any:
        return self.counter.state()

    def load(self, state: Any) -> None:
        self.counter.load(state)


def increment(db: Keyspace, key: bytes, delta: int) -> int:
    """Add `delta`, which is not negative; the value afterwards.

    Raises CounterOverflow beyond 59 bits; nothing is changed then.
    """
    if delta < 0:
        raise ValueError(f"this counter only grows; {delta} would make it shrink")
    held = db.remains(key, GROW)
    birth, total, value = db.seq + 1, delta, delta
    if held is not None:
        assert isinstance(held, GrowCounter)
        value += held.total()
        birth, share = held.counter.next(db.origin, db.seq + 1, delta)
        total = int(share)
    check_range(value)
    check_sum(total)
    db.emit((ADD, key, birth, total))
    return value
