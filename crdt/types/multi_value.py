"""A register that hides no conflict: it shows all values that were written concurrently.

A write replaces the writes that it observed, and the others are kept, as in `register`. Readers see
all of them, and the next write replaces them by one. See DeCandia et al., "Dynamo", 2007, and
Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types", 2011.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers, join_dots, read_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_bytes
from crdt.types.base import Value
from crdt.types.definition import Operation, TypeDefinition
from crdt.wire.decoding import bytes_of, tuple_of

MULTI_VALUE: Final = 6
WRITE: Final = 0  #  (code, operation, key, value)


class MultiValue(Value):
    """The concurrent writes, by dot."""

    __slots__ = ("writes",)

    def __init__(self) -> None:
        self.writes: dict[Dot, bytes] = {}

    def code(self) -> int:
        return MULTI_VALUE

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.remove(observed, None)
        self.writes[dot] = effect[3]

    def remove(self, observed: Observed, resets: object) -> None:
        self.writes = {dot: v for dot, v in self.writes.items() if not observed.covers(dot)}

    def values(self) -> list[bytes]:
        """Return all concurrent values, each once, sorted."""
        return sorted(set(self.writes.values()))

    def keeps_traces(self) -> bool:
        return False

    def is_live(self) -> bool:
        return len(self.writes) > 0

    def min_dot(self) -> Dot:
        return min(self.writes, default=0)

    def visible(self) -> object:
        return self.values()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, MultiValue)
        self.writes = join_dots(self.writes, other.writes, mine, theirs)

    def state(self) -> Any:
        flat: list[Any] = []
        for dot in sorted(self.writes):
            flat += (dot, self.writes[dot])
        return tuple(flat)

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a multi-value register", 2)
        for index in range(0, len(flat), 2):
            dot = read_dot(flat[index], "a write's dot")
            self.writes[dot] = bytes_of(flat[index + 1], "a written value")

    def covered(self, vector: Vector) -> bool:
        return all(covers(vector, dot) for dot in self.writes)

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(dot, self.writes[dot]) for dot in sorted(self.writes)]


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="multi-value",
    code=MULTI_VALUE,
    make=MultiValue,
    operations=(Operation("write", (is_bytes,)),),
)
