"""Every operation that any region ever made: what the checkers hold the replicas to.

A simulation sees all, so it can keep the books that no region can: which operation carries which
dots, when it was made, and all that its region had seen by then (its *past*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from crdt.dots import Origin, Vector, dominates, name_origin
from crdt.op import Op

EMPTY: Final[Mapping[Origin, int]] = {}


class Entry:
    """One operation. `number` counts all operations in the order in which they were made."""

    __slots__ = ("at", "data", "first", "last", "number", "origin", "past")

    def __init__(self, op: Op, past: Vector, at: int, number: int) -> None:
        self.origin = op.origin
        self.first = op.first
        self.last = op.last
        self.data = op.to_bytes()
        self.past = past
        self.at = at
        self.number = number

    def __repr__(self) -> str:
        return f"{name_origin(self.origin)}:{self.first}..{self.last}"


class Ledger:
    """The operations of one world."""

    def __init__(self) -> None:
        self.by_first: dict[tuple[Origin, int], Entry] = {}
        self.by_last: dict[tuple[Origin, int], Entry] = {}
        self.in_order: list[Entry] = []
        self.pasts: dict[Origin, Vector] = {}
        """What each origin had seen at its latest operation."""

    def enter(self, op: Op, at: int) -> Entry:
        """A region has made an operation."""
        past = self.pasts.get(op.origin, {})
        if op.deps:
            past = past | op.deps
        self.pasts[op.origin] = past
        entry = Entry(op, past, at, len(self.in_order))
        self.in_order.append(entry)
        self.by_first[op.origin, op.first] = entry
        self.by_last[op.origin, op.last] = entry
        return entry

    def find(self, origin: Origin, first: int) -> Entry | None:
        """The operation that begins with this dot."""
        return self.by_first.get((origin, first))

    def ending(self, origin: Origin, last: int) -> Entry | None:
        """The operation that ends with this dot."""
        return self.by_last.get((origin, last))

    def within(self, vector: Vector) -> Iterable[Entry]:
        """The operations that `vector` stands for, in the order in which they were made."""
        return (entry for entry in self.in_order if entry.last <= vector.get(entry.origin, 0))

    def lacking(self, vector: Vector, known: Mapping[Origin, int] = EMPTY) -> str:
        """Why `vector` is no set of operations that a replica may have applied; empty if it is.

        It must end between operations, and with each contain all that its region had seen. Of
        `known`, an earlier and smaller one, that has been made sure of.
        """
        for origin, seq in vector.items():
            if seq == known.get(origin, 0):
                continue
            entry = self.by_last.get((origin, seq))
            if entry is None:
                return f"{name_origin(origin)}:{seq} ends no operation"
            if not dominates(vector, entry.past):
                return f"{entry} had seen {entry.past}"
        return ""
