"""A key that regions created with different types concurrently.

All typed values are kept. Readers and commands see the one whose live dots hold the smallest
origin, and among equals the lower type code; the others come to light when it is deleted where
they were not seen (rules KEY-5, KEY-6, D-02).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crdt.causality.dots import SEQ_BITS, Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.types.base import DroppedContent, Value

CONTESTED = 0


class Contested(Value):
    """Values of several types under one key, by type code."""

    __slots__ = ("front", "parts")

    def __init__(self) -> None:
        self.parts: dict[int, Value] = {}
        self.front: Value | None = None
        """The value that is shown, cached until the next change: to find it takes all live dots."""

    def code(self) -> int:
        return CONTESTED

    def part(self, code: int, make: Callable[[], Value]) -> Value:
        """Return the value of one type, to be changed. It is created if necessary."""
        self.front = None
        value = self.parts.get(code)
        if value is None:
            value = self.parts[code] = make()
        return value

    def values(self) -> list[Value]:
        """Return the value of each type."""
        return list(self.parts.values())

    def replace(self, value: Value) -> None:
        """Hold a changed value in place of the one of its type."""
        self.front = None
        self.parts[value.code()] = value

    def shown(self) -> Value:
        """Return the value that readers see."""
        if self.front is None:
            alive = [value for value in self.parts.values() if value.is_live()]
            self.front = min(alive, key=rank) if alive else self.parts[min(self.parts)]
        return self.front

    def resolve(self) -> Value:
        """Drop the empty values. Return the last remaining one, or this."""
        self.front = None
        for code in [code for code, value in self.parts.items() if value.is_empty()]:
            if len(self.parts) > 1:
                del self.parts[code]
        return self.shown() if len(self.parts) == 1 else self

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.front = None
        self.parts[effect[0]].apply(effect, dot, observed)

    def remove(self, observed: Observed, resets: object) -> None:
        self.front = None
        for code, value in self.parts.items():
            value.remove(observed, carried(resets, code))

    def count_items(self) -> int:
        return sum([value.count_items() for value in self.parts.values()])

    def take_dropped(self) -> DroppedContent | None:
        for value in self.parts.values():
            dropped = value.take_dropped()
            if dropped is not None:
                return dropped
        return None

    def is_live(self) -> bool:
        return any(value.is_live() for value in self.parts.values())

    def is_empty(self) -> bool:
        return all(value.is_empty() for value in self.parts.values())

    def min_dot(self) -> Dot:
        return self.shown().min_dot()

    def visible(self) -> object:
        return self.shown().visible()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Contested)
        assert other.parts.keys() == self.parts.keys()
        self.front = None
        for code, value in self.parts.items():
            value.merge(other.parts[code], mine, theirs)

    def covered(self, vector: Vector) -> bool:
        return all(value.covered(vector) for value in self.parts.values())

    def keeps_traces(self) -> bool:
        return any(value.keeps_traces() for value in self.parts.values())

    def has_garbage(self) -> bool:
        return any(value.has_garbage() for value in self.parts.values())

    def needs_collection(self) -> bool:
        return any(value.needs_collection() for value in self.parts.values())

    def collect(self, stable: Vector) -> bool:
        left = False
        for value in self.parts.values():
            left = value.collect(stable) or left
        return left

    def next_deadline(self) -> int:
        found = [value.next_deadline() for value in self.parts.values()]
        return min([deadline for deadline in found if deadline], default=0)

    def hide_expired(self, clock: int, limit: int) -> int:
        self.front = None
        return sum([value.hide_expired(clock, limit) for value in self.parts.values()])

    def hidden_at(self) -> int:
        return max([value.hidden_at() for value in self.parts.values()])

    def hidden_since(self) -> int:
        found = [value.hidden_since() for value in self.parts.values()]
        return min([deadline for deadline in found if deadline], default=0)

    def removals(self, key: bytes, clock: int, limit: int) -> list[Effect]:
        parts = [self.parts[code] for code in sorted(self.parts)]
        return [effect for part in parts for effect in part.removals(key, clock, limit)]

    def state(self) -> Any:
        return tuple((code, self.parts[code].state()) for code in sorted(self.parts))

    def equals(self, other: Value) -> bool:
        return False

    def load(self, state: Any) -> None:
        raise DecodeError("a contested key is read type by type")

    def siblings(self) -> list[tuple[Dot, object]]:
        shown = self.shown()
        rest = [value for value in self.parts.values() if value is not shown and value.is_live()]
        return shown.siblings() + [pair for value in rest for pair in value.siblings()]


def carry(value: Value) -> tuple[Any, ...]:
    """Return what a delete of `value` must carry, by type: `(code, resets, code, resets, ...)`."""
    flat: list[Any] = []
    parts = value.parts if isinstance(value, Contested) else {value.code(): value}
    for code in sorted(parts):
        resets = parts[code].resets()
        if resets is not None:
            flat += (code, resets)
    return tuple(flat)


def carried(flat: Any, code: int) -> object:
    """Return what a delete carries for the value of one type."""
    for index in range(0, len(flat), 2):
        if flat[index] == code:
            return flat[index + 1]
    return None


def rank(value: Value) -> tuple[int, int]:
    """Sorts the value first that a contested key shows."""
    return value.min_dot() >> SEQ_BITS, value.code()
