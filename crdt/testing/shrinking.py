"""Shrink a failing schedule: first remove steps, then lower the numbers in them.

Every sequence of steps is a valid schedule, so any steps can be left out (delta debugging: Zeller
and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). A smaller schedule is
accepted only if it fails in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from crdt.testing.worlds.steps import Step

TRIALS_MAX: Final = 4000

Fails = Callable[[list[Step]], bool]


class Shrinker:
    """The shrinker of one schedule. `fails` returns whether a schedule fails in the same way."""

    def __init__(self, steps: list[Step], fails: Fails) -> None:
        self.steps: list[Step] = steps
        self.fails: Fails = fails
        self.trials: int = 0

    def shrink(self) -> list[Step]:
        """Return the smallest schedule found."""
        before: list[Step] = []
        while before != self.steps and self.trials < TRIALS_MAX:
            before = self.steps
            self.leave_out()
            self.make_plain()
        return self.steps

    def accepts(self, steps: list[Step]) -> bool:
        """Try a schedule, and keep it if it still fails."""
        self.trials += 1
        if self.trials > TRIALS_MAX or not self.fails(steps):
            return False
        self.steps = steps
        return True

    def leave_out(self) -> None:
        """Leave out runs of steps, the longest runs first."""
        size = max(1, len(self.steps) // 2)
        while True:
            start = 0
            while start < len(self.steps):
                if not self.accepts(self.steps[:start] + self.steps[start + size :]):
                    start += size
            if size == 1:
                return
            size //= 2

    def make_plain(self) -> None:
        """Lower the numbers of the steps, one number at a time."""
        for index in range(len(self.steps)):
            for field in ("first", "second"):
                number = getattr(self.steps[index], field)
                for lower in sorted({0, 1, 2, number // 2, number - 1}):
                    if 0 <= lower < number and self.try_number(index, field, lower):
                        break

    def try_number(self, index: int, field: str, number: int) -> bool:
        """Try another number in one step."""
        step = attrs.evolve(self.steps[index], **{field: number})
        return self.accepts([*self.steps[:index], step, *self.steps[index + 1 :]])
