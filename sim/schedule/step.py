"""Schedules as data: the steps of a simulation and their times.

A step means the same whatever happened before, and one that makes no sense when its time comes does
nothing. So any part of a schedule is a schedule, which is what makes shrinking possible, and a
schedule can be written down, changed by hand and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import Final, TypeAlias

import attrs

Words: TypeAlias = tuple[str, ...]
Undo: TypeAlias = Callable[[], None] | None
"""A function that ends a fault; None if the fault has no duration, or did not happen."""
Done: TypeAlias = tuple[bool, Undo]
"""Whether a fault happened, and what ends it."""

FOREVER: Final = 1 << 60
"""The duration of a fault that nothing ends before the run does."""
TIME: Final = attrgetter("at")


@attrs.frozen
class ScheduleStep:
    """At a time, something befalls some regions, with a strength, for a while. All times in ns.

    `kind` is `write` or the name of a fault. `commands` are what a client sends, in one go.
    """

    at: int
    kind: str
    regions: Words = ()
    lasts: int = 0
    value: int = 0
    commands: tuple[Words, ...] = ()

    def __str__(self) -> str:
        words = [f"{self.at / 1e9:10.3f} s", self.kind, " ".join(self.regions)]
        if self.lasts >= FOREVER:
            words.append("to the end")
        elif self.lasts:
            words.append(f"for {self.lasts / 1e9:.3f} s")
        if self.value:
            words.append(f"({self.value})")
        words += [" ".join(command) for command in self.commands]
        return " ".join(word for word in words if word)


def merge_steps(*streams: Iterable[ScheduleStep]) -> Iterator[ScheduleStep]:
    """Several streams of steps, each in order, as one; at equal times the first stream leads."""
    return merge(*streams, key=TIME)
