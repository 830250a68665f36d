"""Correct user types for `check_type`, one of each family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crdt.testing import Refused

Pair = tuple[int, int]


class MaxRegister:
    """A maximum register: an effect is a number, and the greatest one counts. It is never
    deleted."""

    def __init__(self) -> None:
        self.number = 0

    def apply(self, effect: tuple[str, int]) -> None:
        self.number = max(self.number, effect[1])

    def value(self) -> int:
        return self.number


class MaxMap:
    """A dict of greatest numbers, state-based, without delete."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def put(self, name: str, number: int) -> None:
        self.numbers[name] = max(number, self.numbers.get(name, 0))

    def merge(self, other: MaxMap) -> None:
        for name, number in other.numbers.items():
            self.put(name, number)

    def value(self) -> dict[str, int]:
        return self.numbers


class ObservedRemoveSet:
    """An add prepares a tag, a remove the tags that it has seen."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.count = 0
        self.tags: dict[str, set[Pair]] = {}

    def add(self, member: str) -> tuple[Any, ...]:
        return "add", member, (self.replica, self.count + 1)

    def remove(self, member: str) -> tuple[Any, ...]:
        return "remove", member, frozenset(self.tags.get(member, ()))

    def apply(self, effect: tuple[Any, ...]) -> None:
        kind, member, tags = effect
        if kind == "add":
            if tags[0] == self.replica:
                self.count += 1
            self.tags.setdefault(member, set()).add(tags)
        else:
            self.tags[member] = self.tags.get(member, set()) - tags

    def value(self) -> set[str]:
        return {member for member, tags in self.tags.items() if tags}

    def has(self, member: str) -> bool:
        return bool(self.tags.get(member))


class PNCounter:
    """A state-based counter. For each replica it keeps what was added and what was taken away."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.added: dict[int, int] = {}
        self.event: dict[int, int] = {}

    def add(self, amount: int) -> None:
        counts = self.added if amount > 0 else self.event
        counts[self.replica] = counts.get(self.replica, 0) + abs(amount)

    def merge(self, other: PNCounter) -> None:
        for mine, theirs in ((self.added, other.added), (self.event, other.event)):
            for replica, amount in theirs.items():
                mine[replica] = max(mine.get(replica, 0), amount)

    def value(self) -> int:
        return sum(self.added.values()) - sum(self.event.values())


class BoundedCounter:
    """A counter that is never below zero: each replica spends only its own share (O'Neil, "The
    Escrow Transactional Method", 1986)."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.earned: dict[int, int] = {}
        self.spent: dict[int, int] = {}

    def deposit(self, amount: int) -> None:
        self.earned[self.replica] = self.earned.get(self.replica, 0) + amount

    def withdraw(self, amount: int) -> bool:
        rights = self.earned.get(self.replica, 0) - self.spent.get(self.replica, 0)
        if rights < amount:
            raise Refused
        self.spent[self.replica] = self.spent.get(self.replica, 0) + amount
        return True

    def merge(self, other: BoundedCounter) -> None:
        for mine, theirs in ((self.earned, other.earned), (self.spent, other.spent)):
            for replica, amount in theirs.items():
                mine[replica] = max(mine.get(replica, 0), amount)

    def value(self) -> int:
        return sum(self.earned.values()) - sum(self.spent.values())


class BoundedByEffects:
    """The same with effects: an account for each replica."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.accounts: dict[int, int] = {}

    def deposit(self, amount: int) -> Pair:
        return self.replica, amount

    def withdraw(self, amount: int) -> Pair | None:
        return (self.replica, -amount) if self.accounts.get(self.replica, 0) >= amount else None

    def apply(self, effect: Pair) -> None:
        replica, amount = effect
        self.accounts[replica] = self.accounts.get(replica, 0) + amount

    def value(self) -> int:
        return sum(self.accounts.values())


class EnableWinsFlag:
    """A flag. An enable prepares a tag. Both effects name the tags that their origin has seen,
    which are removed."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.count = 0
        self.tags: set[Pair] = set()

    def enable(self) -> tuple[Pair | None, frozenset[Pair]]:
        return (self.replica, self.count + 1), frozenset(self.tags)

    def disable(self) -> tuple[Pair | None, frozenset[Pair]]:
        return None, frozenset(self.tags)

    def apply(self, effect: tuple[Pair | None, frozenset[Pair]]) -> None:
        tag, seen = effect
        self.tags -= seen
        if tag is not None:
            self.tags.add(tag)
            if tag[0] == self.replica:
                self.count = tag[1]

    def value(self) -> bool:
        return bool(self.tags)


class Text:
    """A replicated growable array (Roh et al., 2011). An insertion prepares its identity and names
    the letter before it. A removed letter stays as a tombstone."""

    def __init__(self, replica: int) -> None:
        self.replica = replica
        self.stamp = 0
        self.items: list[tuple[Pair, str]] = []
        self.removed: set[Pair] = set()

    def live(self) -> list[int]:
        """Return the positions of the visible letters."""
        return [place for place, (name, _) in enumerate(self.items) if name not in self.removed]

    def insert(self, place: int, letter: str) -> tuple[Any, ...]:
        live = self.live()
        before = self.items[live[min(place, len(live)) - 1]][0] if place and live else None
        return "insert", (self.stamp + 1, self.replica), before, letter

    def delete(self, place: int) -> tuple[Any, ...] | None:
        live = self.live()
        return ("delete", self.items[live[place]][0]) if place < len(live) else None

    def apply(self, effect: tuple[Any, ...]) -> None:
        if effect[0] == "delete":
            self.removed.add(effect[1])
            return
        _, name, before, letter = effect
        self.stamp = max(self.stamp, name[0])
        names = [each for each, _ in self.items]
        place = 0 if before is None else names.index(before) + 1
        while place < len(names) and names[place] > name:
            place += 1
        self.items.insert(place, (name, letter))

    def value(self) -> str:
        return "".join(self.items[place][1] for place in self.live())


class GrowSet:
    """A state-based set. Its methods return the new state."""

    def __init__(self, members: frozenset[str] = frozenset()) -> None:
        self.members = members

    def add(self, member: str) -> GrowSet:
        return GrowSet(self.members | {member})

    def merge(self, other: GrowSet) -> GrowSet:
        return GrowSet(self.members | other.members)

    def value(self) -> frozenset[str]:
        return self.members


class TwoPhaseSet:
    """A state-based set. A removed member never comes back."""

    def __init__(self) -> None:
        self.added: set[str] = set()
        self.removed: set[str] = set()

    def add(self, member: str) -> None:
        self.added.add(member)

    def remove(self, member: str) -> None:
        if member not in self.added:
            raise Refused
        self.removed.add(member)

    def merge(self, other: TwoPhaseSet) -> None:
        self.added |= other.added
        self.removed |= other.removed

    def value(self) -> set[str]:
        return self.added - self.removed


class LastWriter:
    """A state-based register with a clock: the latest stamp wins, and of equal ones the greater
    replica."""

    def __init__(self, replica: int, clock: Callable[[], int]) -> None:
        self.replica = replica
        self.clock = clock
        self.stamp = (0, 0)
        self.text = ""

    def set(self, text: str) -> None:
        self.stamp = (max(self.clock(), self.stamp[0] + 1), self.replica)
        self.text = text

    def state(self) -> tuple[Pair, str]:
        return self.stamp, self.text

    def load(self, state: tuple[Pair, str]) -> None:
        self.stamp, self.text = state

    def merge(self, other: LastWriter) -> None:
        if other.stamp > self.stamp:
            self.stamp, self.text = other.stamp, other.text

    def value(self) -> str:
        return self.text


class DeltaCounter:
    """A counter whose mutators return the part of the state that changes."""

    def __init__(self, replica: int = 0) -> None:
        self.replica = replica
        self.counts: dict[int, int] = {}

    def add(self, amount: int) -> DeltaCounter:
        delta = DeltaCounter()
        delta.counts[self.replica] = self.counts.get(self.replica, 0) + amount
        return delta

    def merge(self, other: DeltaCounter) -> None:
        for replica, amount in other.counts.items():
            self.counts[replica] = max(self.counts.get(replica, 0), amount)

    def value(self) -> int:
        return sum(self.counts.values())
