"""Shrinking: reduce a failing run to a small one that violates the same invariant.

First, chunks of the schedule are removed: halves first, single steps last. This is delta debugging
(Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). The meaning of a
step does not depend on earlier steps, so every part of a schedule can be run.

Then the options are simplified one after another: fewer regions, no followers, a mesh, default
tunings, equal latencies, exact clocks, a shorter run. The result is a script that can be replayed
(see `sim.scenarios.script`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs

from sim.campaign.options import RunOptions
from sim.campaign.run import Result, Run, draw_schedule
from sim.engine.events import SECOND
from sim.faults.kinds import FAULTS, all_regions, one_side
from sim.scenarios.script import Script
from sim.schedule.step import ScheduleStep

ATTEMPTS_MAX: Final = 400
TRIALS_MAX: Final = 60  # runs with simpler options
REGIONS_MIN: Final = 2
LATENCY: Final = "metro"
CRASH: Final = "no crash"
GROUPS: Final = frozenset({all_regions, one_side})
"""The choices whose steps are still valid after one of their regions is removed."""


def shrink_run(
    options: RunOptions,
    failed: Result,
    play: Callable[[Run, Sequence[ScheduleStep]], Result] = Run.play_steps,
    attempts: int = ATTEMPTS_MAX,
) -> Script:
    """Return the smallest run found within `attempts` runs that fails in the same way."""
    steps = list(draw_schedule(options))
    if failed.virtual < options.length:
        steps = [step for step in steps if step.at <= failed.virtual + SECOND]

    def same_failure(candidate: Sequence[ScheduleStep]) -> bool:
        return is_same_failure(play(Run(options), candidate), failed)

    def still_fails(candidate: Script) -> bool:
        return is_same_failure(play(Run(candidate.options), candidate.steps), failed)

    kept = reduce_items(steps, same_failure, attempts)
    return simplify_options(Script.from_run(options, kept), still_fails, TRIALS_MAX)


def is_same_failure(result: Result, failed: Result) -> bool:
    """Return whether two runs violate the same invariant. Two crashes must share their place."""
    if result.promise != failed.promise:
        return False
    return failed.promise != CRASH or crash_location(result) == crash_location(failed)


def crash_location(result: Result) -> str:
    """Return the place of a crash, which is the last part of the result's reason."""
    return result.reason.rpartition("(")[2]


def simplify_options(run: Script, fails: Callable[[Script], bool], trials: int) -> Script:
    """Simplify the options of `run` while it still fails, within `trials` runs."""
    is_over = False
    while not is_over:
        is_over = True
        for candidate in plainer_options(run):
            if not trials:
                return run
            trials -= 1
            if fails(candidate):
                run, is_over = candidate, False
                break
    return run


def plainer_options(run: Script) -> Iterator[Script]:
    """Yield runs with one option simplified. The largest simplifications come first."""
    options, steps = run.options, run.steps
    if len(options.names) > REGIONS_MIN:
        for name in reversed(options.names):
            yield without_part(run, name)
    end = max((step.at + step.lasts for step in steps), default=0) + SECOND
    plain: tuple[dict[str, Any], ...] = (
        {"copies": ()},
        {"topology": "mesh"},
        {"core": 0},
        {"tunings": {}},
        {"latency": LATENCY},
        {"offsets": {}},
        {"tick_ms": 1},
        {"chops": 0},
        {"length": min(options.length, end)},
    )
    for change in plain:
        plain_options = attrs.evolve(options, **change)
        if plain_options != options:
            yield attrs.evolve(run, options=plain_options)


def without_part(run: Script, name: str) -> Script:
    """Return `run` without the region `name`, its steps, and its links to followers."""
    options = run.options
    sources = [
        attrs.evolve(copy, sources=tuple(each for each in copy.sources if each != name))
        for copy in options.copies
    ]
    names = tuple(each for each in options.names if each != name)
    return Script.from_run(
        attrs.evolve(
            options,
            names=names,
            copies=tuple(copy for copy in sources if copy.sources),
            tunings={each: tuning for each, tuning in options.tunings.items() if each != name},
            offsets={each: ms for each, ms in options.offsets.items() if each != name},
            core=min(options.core, len(names)),
        ),
        [step for each in run.steps if (step := without_command(each, name)) is not None],
    )


def without_command(step: ScheduleStep, name: str) -> ScheduleStep | None:
    """Return `step` without the region `name`, or None if the step needs that region."""
    if name not in step.regions:
        return step
    fault = FAULTS.get(step.kind)
    left = tuple(each for each in step.regions if each != name)
    if not left or fault is None or fault.choose not in GROUPS:
        return None
    if fault.choose is all_regions and len(left) < fault.least:
        return None
    return attrs.evolve(step, regions=left)


def reduce_items(
    steps: Sequence[ScheduleStep], fails: Callable[[Sequence[ScheduleStep]], bool], attempts: int
) -> list[ScheduleStep]:
    """Remove chunks, then single steps, for as long as the rest still fails. Return the rest."""
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
