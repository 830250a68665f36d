"""Histories of commands and their visibility: the input of every specification.

A specification is a function from the operations that a region has seen to the value that it must
show (Burckhardt et al., "Replicated Data Types: Specification, Verification,
Optimality", 2014). Its input is a `History`: the visible operations, each a `HistoryEvent`, in an
order that respects causality. Visibility is a set of bits, so a query is cheap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import attrs

from crdt.causality.dots import Dot, Origin, origin_of, region_of


@attrs.frozen(eq=False)
class HistoryEvent:
    """One command that changed something, as it was carried out at its origin."""

    command: Any
    dot: Dot  #     of the last effect it had
    clock: int  #   wall clock of its origin in ms, which stamps its writes
    expiry_clock: int  # the clock that expiry at its origin went by, in ms
    index: int  #   its place among all that was ever done
    past: int  #    bit i is set: it had seen the operation with index i
    notes: dict[Any, Any] = attrs.field(factory=dict[Any, Any], repr=False)
    """Where a specification may note what it has worked out: the past does not change."""
    result: Any = None
    """The value that the command returned at its origin."""
    refused: bool = False
    """True if the command was refused. Only `keep_refused` lets a specification see those."""

    @property
    def origin(self) -> Origin:
        """The origin of the command. Of two equal concurrent ones, the lower origin wins (D-01)."""
        return origin_of(self.dot)

    @property
    def region(self) -> int:
        """The number of the replica that did it."""
        return region_of(self.origin)

    def saw(self, other: HistoryEvent) -> bool:
        """Return whether `other` had been applied at the origin before."""
        return bool(self.past >> other.index & 1)


class History(Sequence[HistoryEvent]):
    """The operations visible somewhere, the oldest first."""

    def __init__(self, everything: list[HistoryEvent], visible: int, now: int = 0) -> None:
        """`everything` that was ever done, of which the bits of `visible` can be seen, by somebody
        whose wall clock has reached `now` ms."""
        self.everything: list[HistoryEvent] = everything
        self.visible: int = visible
        self.now: int = now
        self.items: list[HistoryEvent] = [
            taken for taken in everything if visible >> taken.index & 1
        ]

    @overload
    def __getitem__(self, index: int) -> HistoryEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[HistoryEvent]: ...
    def __getitem__(self, index: int | slice) -> HistoryEvent | list[HistoryEvent]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[HistoryEvent]:
        return iter(self.items)

    def before(self, taken: HistoryEvent) -> History:
        """Return the history that was visible at the origin when `taken` was done."""
        return History(self.everything, taken.past, taken.expiry_clock)

    def only(self, kept: Sequence[HistoryEvent]) -> History:
        """The same place and time, of these operations alone."""
        visible = 0
        for taken in kept:
            visible |= 1 << taken.index
        return History(self.everything, visible, self.now)

    def part(self, name: str) -> History:
        """The same place and time, of the commands that begin with `name`, and without it."""
        own = {taken.index for taken in self.items if taken.command[0] == name}
        everything = [
            attrs.evolve(taken, command=taken.command[1:]) if taken.index in own else taken
            for taken in self.everything
        ]
        visible = sum(1 << index for index in own)
        return History(everything, visible, self.now)


def unseen(history: Sequence[HistoryEvent], removers: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """The operations that none of `removers` had seen: what an observed remove leaves."""
    seen = 0
    for other in removers:
        seen |= other.past
    return [taken for taken in history if not seen >> taken.index & 1]


def latest(history: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """The operations that no other had seen: several where they were concurrent."""
    return unseen(history, history)
