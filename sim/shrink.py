"""A failing schedule made short: what can be left out and the same promise is still broken.

Chunks are removed, half of the schedule first and single steps last (Zeller and Hildebrandt,
"Simplifying and Isolating Failure-Inducing Input", 2002). A step means the same whatever came
before, so every part of a schedule can be run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sim.campaign import Result, Run, schedule
from sim.engine import SECOND
from sim.options import Options
from sim.step import Step

ATTEMPTS_MAX: Final = 400


def shrink(options: Options, failed: Result, attempts: int = ATTEMPTS_MAX) -> list[Step]:
    """The shortest schedule found, in so many attempts, that breaks the same promise."""
    steps = list(schedule(options))
    if failed.virtual < options.length:
        steps = [step for step in steps if step.at <= failed.virtual + SECOND]

    def fails(candidate: Sequence[Step]) -> bool:
        return Run(options).play(candidate).promise == failed.promise

    return reduce(steps, fails, attempts)


def reduce(
    steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], attempts: int
) -> list[Step]:
    """What is left of `steps` when no chunk, and then no single one, can be spared."""
    kept = list(steps)
    size = len(kept) // 2
    while size and attempts > 0:
        start = 0
        before = len(kept)
        while start < len(kept) and attempts > 0:
            candidate = kept[:start] + kept[start + size :]
            attempts -= 1
            if fails(candidate):
                kept = candidate
            else:
                start += size
        if size > 1 or len(kept) == before:
            size //= 2
    return kept
