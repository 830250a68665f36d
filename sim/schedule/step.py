"""Schedules as data: the steps of a simulation and their times.

The meaning of a step does not depend on earlier steps. A step that is not applicable when its time
comes does nothing. Any part of a schedule is therefore a schedule, which makes shrinking possible.
A schedule can also be written to a file, edited and replayed.
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
"""True if a fault happened, and the function that ends it."""

FOREVER: Final = 1 << 60
"""The duration of a fault that lasts to the end of the run."""
TIME: Final = attrgetter("at")


@attrs.frozen
class ScheduleStep:
    """A fault or a client's request. Times are in ns.

    `kind` is `write`, `client` or the name of a fault. `value` is the strength of a fault, or the
    number of a session. `commands` are sent by a client in one request.
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
    """Merge ordered streams of steps. At equal times, steps of earlier streams come first."""
    return merge(*streams, key=TIME)
