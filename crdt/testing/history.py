"""Histories of commands and their visibility: the input of every specification.

A specification is a function from the operations that a region has seen to the value that it must
show (Burckhardt et al., "Replicated Data Types: Specification, Verification, Optimality", 2014).
Its input is a `History`: the visible operations, each a `HistoryEvent`, in an order that is
consistent with causality. Sets of operations are bit sets, so a visibility query is cheap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import attrs

from crdt.causality.dots import Dot, Origin, origin_of, region_of


@attrs.frozen(eq=False)
class HistoryEvent:
    """A command that had an effect, as it was executed at its origin."""

    command: Any
    dot: Dot  #     the dot of the command's last effect
    clock: int  #   the origin's wall clock in ms, used for the stamps of its writes
    expiry_clock: int  # the origin's clock for expiry, in ms
    index: int  #   the position of this event among all events
    past: int  #    bit i is set if the origin had seen the event with index i
    notes: dict[Any, Any] = attrs.field(factory=dict[Any, Any], repr=False)
    """A cache for specifications. Results about the past of an event stay valid."""
    result: Any = None
    """The value that the command returned at its origin."""
    refused: bool = False
    """True if the command was refused. A history contains refused commands only with the option
    `keep_refused`."""

    @property
    def origin(self) -> Origin:
        """The origin of the command. Between concurrent writes with equal stamps, the lower origin
        wins (D-01)."""
        return origin_of(self.dot)

    @property
    def region(self) -> int:
        """The number of the replica that executed the command."""
        return region_of(self.origin)

    def saw(self, other: HistoryEvent) -> bool:
        """Return whether the origin had applied `other` before this event."""
        return bool(self.past >> other.index & 1)


class History(Sequence[HistoryEvent]):
    """The operations that are visible at one replica, the oldest first."""

    def __init__(self, everything: list[HistoryEvent], visible: int, now: int = 0) -> None:
        """Create the history of a replica whose clock for expiry shows `now` ms. `everything` holds
        all events, and the bits of `visible` select the visible ones."""
        self.everything: list[HistoryEvent] = everything
        self.visible: int = visible
        self.now: int = now
        self.items: list[HistoryEvent] = [
            event for event in everything if visible >> event.index & 1
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

    def before(self, event: HistoryEvent) -> History:
        """Return the history that was visible at the origin when `event` was executed."""
        return History(self.everything, event.past, event.expiry_clock)

    def only(self, kept: Sequence[HistoryEvent]) -> History:
        """Return a history with only these operations, and with the same clock."""
        visible = 0
        for event in kept:
            visible |= 1 << event.index
        return History(self.everything, visible, self.now)

    def part(self, name: str) -> History:
        """Return a history with only the commands that begin with `name`, with `name` removed from
        them, and with the same clock."""
        own = {event.index for event in self.items if event.command[0] == name}
        everything = [
            attrs.evolve(event, command=event.command[1:]) if event.index in own else event
            for event in self.everything
        ]
        visible = sum(1 << index for index in own)
        return History(everything, visible, self.now)


def unseen(history: Sequence[HistoryEvent], removers: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """Return the operations that none of `removers` had seen. They survive an observed-remove."""
    seen = 0
    for other in removers:
        seen |= other.past
    return [event for event in history if not seen >> event.index & 1]


def latest(history: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """Return the operations that no other operation had seen: the maximal concurrent ones."""
    return unseen(history, history)
