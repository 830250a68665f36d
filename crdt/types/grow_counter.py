"""Grow-only counters.

The value is the sum of the increments of all regions, as in `counter`, but increments cannot be
negative. So the value never falls, except by a delete of the key, which keeps the increments that
it had not observed (rule CTR-4).
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_growth, is_seq
from crdt.types.base import Value
from crdt.types.components import counter
from crdt.types.components.counter import Shares
from crdt.types.definition import Operation, TypeDefinition

GROW: Final = 8
ADD: Final = 0  #  (code, operation, key, birth, sum)


class GrowCounter(Value):
    """The shares of all origins."""

    __slots__ = ("shares",)

    def __init__(self) -> None:
        self.shares: Shares = ()

    def code(self) -> int:
        return GROW

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.shares = counter.incremented(self.shares, dot, effect[3], effect[4])

    def remove(self, observed: Observed, resets: object) -> None:
        if resets is not None:
            counter.reset(self.shares, resets, observed.dot())

    def resets(self) -> object:
        return counter.resets(self.shares)

    def total(self) -> int:
        """Return the sum that readers see."""
        return int(counter.total(self.shares))

    def is_live(self) -> bool:
        return counter.live(self.shares)

    def is_empty(self) -> bool:
        return not self.shares

    def min_dot(self) -> Dot:
        return counter.min_dot(self.shares)

    def visible(self) -> object:
        return self.total()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, GrowCounter)
        self.shares = counter.merged(self.shares, other.shares, mine, theirs)

    def covered(self, vector: Vector) -> bool:
        return counter.covered(self.shares, vector)

    def has_garbage(self) -> bool:
        return counter.has_garbage(self.shares)

    def collect(self, stable: Vector) -> bool:
        self.shares = counter.collect_shares(self.shares, stable)
        return counter.has_garbage(self.shares)

    def state(self) -> Any:
        return counter.state(self.shares)

    def load(self, state: Any) -> None:
        self.shares = counter.load(state)


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="growing counter",
    code=GROW,
    make=GrowCounter,
    operations=(Operation("add", (is_seq, is_growth)),),
)
