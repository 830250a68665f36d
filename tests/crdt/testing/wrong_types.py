"""Types with the typical mistakes of `check_type`'s users."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.crdt.testing.right_types import (
    BoundedCounter,
    DeltaCounter,
    LastWriter,
    MaxRegister,
    ObservedRemoveSet,
    Pair,
    PNCounter,
    Text,
)


class DeafClock(LastWriter):
    """Its stamps do not follow those that it has received."""

    def __init__(self, replica: int, clock: Callable[[], int]) -> None:
        super().__init__(replica, clock)
        self.own = 0

    def set(self, text: str) -> None:
        self.own += 1
        self.stamp = (self.own, self.replica)
        self.text = text


class ReaddingSet:
    """A two-phase set that forgets a removal when the member is added again."""

    def __init__(self) -> None:
        self.added: set[str] = set()
        self.removed: set[str] = set()

    def add(self, member: str) -> None:
        self.added.add(member)
        self.removed.discard(member)

    def remove(self, member: str) -> None:
        self.removed.add(member)

    def merge(self, other: ReaddingSet) -> None:
        self.added |= other.added
        self.removed |= other.removed

    def value(self) -> set[str]:
        return self.added - self.removed


class MaxCounter(PNCounter):
    """Keeps one number for each replica, and returns the greatest of them."""

    def add(self, amount: int) -> None:
        self.added[self.replica] = self.added.get(self.replica, 0) + amount


class MaxOfTotals:
    """An effect is the new total of its replica, and the greatest total counts."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.totals: dict[int, int] = {}

    def add(self, amount: int) -> Pair:
        return self.replica, self.totals.get(self.replica, 0) + amount

    def apply(self, effect: Pair) -> None:
        replica, total = effect
        self.totals[replica] = max(self.totals.get(replica, 0), total)

    def value(self) -> int:
        return sum(self.totals.values())


class BoundedBySight:
    """Checks a withdrawal against the balance that its replica sees."""

    def __init__(self) -> None:
        self.balance = 0

    def deposit(self, amount: int) -> int:
        return amount

    def withdraw(self, amount: int) -> int | None:
        return -amount if self.balance >= amount else None

    def apply(self, amount: int) -> None:
        self.balance += amount

    def value(self) -> int:
        return self.balance


class DeletingRegister:
    """Keeps the highest number. A delete also takes away numbers that it has not seen."""

    def __init__(self) -> None:
        self.number: int | None = None

    def put(self, number: int) -> int | None:
        return number

    def delete(self) -> tuple[()]:
        return ()

    def apply(self, effect: int | tuple[()]) -> None:
        self.number = None if isinstance(effect, tuple) else max(effect, self.number or 0)

    def value(self) -> int | None:
        return self.number


class UnitingSet(ObservedRemoveSet):
    """A remove takes away what is visible at its destination, not what its origin had seen."""

    def apply(self, effect: tuple[Any, ...]) -> None:
        if effect[0] == "remove":
            self.tags.pop(effect[1], None)
        else:
            super().apply(effect)


class StampedText(Text):
    """Assigns stamps where an insertion arrives, so they are not unique."""

    def insert(self, place: int, letter: str) -> tuple[Any, ...]:
        kind, _, before, letter = super().insert(place, letter)
        return kind, (len(self.items) + 1, 0), before, letter


class GreedyRegister(MaxRegister):
    """The last effect to arrive counts if it is even."""

    def apply(self, effect: tuple[str, int]) -> None:
        self.number = effect[1] if effect[1] % 2 == 0 else max(self.number, effect[1])


class OneValue:
    """A multi-value register that drops siblings."""

    def __init__(self) -> None:
        self.values: set[str] = set()

    def put(self, text: str) -> None:
        self.values = {text}

    def merge(self, other: OneValue) -> None:
        self.values = other.values or self.values

    def value(self) -> set[str]:
        return self.values


class CarelessCounter(BoundedCounter):
    """Checks the total of all replicas instead of its own share."""

    def withdraw(self, amount: int) -> bool:
        if self.value() < amount:
            return False
        self.spent[self.replica] = self.spent.get(self.replica, 0) + amount
        return True


class Average:
    """Sums and counts merge by their maximum."""

    def __init__(self) -> None:
        self.sum = 0
        self.count = 0

    def add(self, number: int) -> None:
        self.sum += number
        self.count += 1

    def merge(self, other: Average) -> None:
        self.sum = max(self.sum, other.sum)
        self.count = max(self.count, other.count)

    def value(self) -> float:
        return self.sum / self.count if self.count else 0.0


class LaterEntry:
    """A map of counters in which the entry of the later writer replaces the other."""

    def __init__(self, replica: int, clock: Callable[[], int]) -> None:
        self.replica = replica
        self.clock = clock
        self.entries: dict[str, tuple[Pair, int]] = {}

    def add(self, name: str, amount: int) -> None:
        number = self.entries.get(name, ((0, 0), 0))[1]
        self.entries[name] = ((self.clock(), self.replica), number + amount)

    def state(self) -> dict[str, tuple[Pair, int]]:
        return dict(self.entries)

    def load(self, state: dict[str, tuple[Pair, int]]) -> None:
        self.entries = dict(state)

    def merge(self, other: LaterEntry) -> None:
        for name, entry in other.entries.items():
            self.entries[name] = max(entry, self.entries.get(name, ((0, 0), 0)))

    def value(self) -> dict[str, int]:
        return {name: number for name, (_, number) in self.entries.items()}


class WrongDelta(DeltaCounter):
    """A delta that describes another change than the one that the replica makes."""

    def add(self, amount: int) -> DeltaCounter:
        delta = super().add(amount)
        self.counts[self.replica] = self.counts.get(self.replica, 0) + 2 * amount
        return delta


class Moody(MaxRegister):
    """Its value differs from one read to the next."""

    def value(self) -> int:
        return self.number + (random.random() < 0.02)
