"""Shrinking of runs: the result still fails, and each of its steps is needed."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.campaign.options import RunOptions
from sim.campaign.run import Result, Run, Verdict, draw_schedule
from sim.campaign.shrink import (
    LATENCY,
    is_same_failure,
    reduce_items,
    shrink_run,
    simplify_options,
    without_command,
)
from sim.engine.events import SECOND
from sim.scenarios.script import Script
from sim.schedule.plan import Copy, Tuning
from sim.schedule.step import ScheduleStep


def numbered(count: int) -> list[ScheduleStep]:
    return [ScheduleStep(i, "write") for i in range(count)]


@given(st.sets(st.integers(0, 39), min_size=1, max_size=4))
def test_just_culprits_are_left(culprits: set[int]) -> None:
    def fails(steps: Sequence[ScheduleStep]) -> bool:
        return culprits <= {step.at for step in steps}

    assert [step.at for step in reduce_items(numbered(40), fails, 10_000)] == sorted(culprits)


def test_no_single_one_can_be_spared() -> None:
    def fails(steps: Sequence[ScheduleStep]) -> bool:
        return sum(step.at for step in steps) % 7 == 3

    left = reduce_items(numbered(31), fails, 10_000)
    assert fails(numbered(31))
    assert fails(left)
    assert not any(fails(left[:i] + left[i + 1 :]) for i in range(len(left)))


def test_shrinking_stops_after_attempt_limit() -> None:
    tried: list[int] = []

    def fails(steps: Sequence[ScheduleStep]) -> bool:
        tried.append(len(steps))
        return False

    assert reduce_items(numbered(20), fails, 5) == numbered(20)
    assert len(tried) == 5


def test_shortest_run_is_empty() -> None:
    assert reduce_items([], lambda _steps: True, 5) == []


def test_only_same_promise_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    options = RunOptions.draw_from_seed(
        7, names=("eu", "us"), length=20 * SECOND, faults=("cut",), bursts=0
    )
    steps = list(draw_schedule(options))
    culprit, lure = steps[1], steps[2]
    valid = Run(attrs.evolve(options, length=0, core=0)).play_steps([])
    failed = attrs.evolve(
        valid, verdict=Verdict.INVALID, promise="convergence", virtual=steps[-1].at // 2
    )
    played: list[list[ScheduleStep]] = []

    def play(_run: Run, candidate: Sequence[ScheduleStep]) -> Result:
        played.append(list(candidate))
        promise = "convergence" if culprit in candidate else "growth" if lure in candidate else ""
        return attrs.evolve(failed, promise=promise)

    assert shrink_run(options, failed, play).steps == (culprit,)
    latest = max(step.at for candidate in played for step in candidate)
    assert latest <= failed.virtual + SECOND


def test_failure_at_end_keeps_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    options = RunOptions.draw_from_seed(
        7, names=("eu", "us"), length=20 * SECOND, faults=("cut",), bursts=0
    )
    steps = list(draw_schedule(options))
    valid = Run(attrs.evolve(options, length=0, core=0)).play_steps([])
    failed = attrs.evolve(
        valid, verdict=Verdict.INVALID, promise="liveness", virtual=options.length + 1
    )

    def play(_run: Run, candidate: Sequence[ScheduleStep]) -> Result:
        return attrs.evolve(failed, promise="liveness" if steps[-1] in candidate else "")

    assert shrink_run(options, failed, play).steps == (steps[-1],)


def intricate() -> Script:
    """A run in which no option is plain."""
    names = ("a", "b", "c", "d")
    options = RunOptions.draw_from_seed(
        7,
        names=names,
        topology="ring",
        latency="ocean",
        length=50 * SECOND,
        faults=("cut", "claim"),
        tunings=dict.fromkeys(names, Tuning(history_bytes=400)),
        offsets=dict.fromkeys(names, 5),
        tick_ms=1000,
        chops=5,
        copies=(Copy("f", 9, ("a", "d")), Copy("g", 9, ("c",))),
        core=3,
    )
    steps = (
        ScheduleStep(SECOND, "write", ("a",), commands=(("SET", "k", "v"),)),
        ScheduleStep(SECOND, "write", ("c",), commands=(("SET", "k", "v"),)),
        ScheduleStep(2 * SECOND, "cut", ("a", "b"), 3 * SECOND),
    )
    return Script.from_run(options, steps)


def test_options_become_as_plain_as_they_can_be() -> None:
    small = simplify_options(
        intricate(), lambda run: "cut" in {step.kind for step in run.steps}, 1000
    )
    options = small.options
    assert options.names == ("a", "b")
    assert [step.kind for step in small.steps] == ["write", "cut"]
    assert (options.copies, options.topology, options.core) == ((), "mesh", 0)
    assert (options.tunings, options.latency, options.tick_ms) == ({}, LATENCY, 1)
    assert (options.offsets, options.chops) == ({}, 0)
    assert (options.faults, options.length) == (("cut",), 6 * SECOND)


def test_option_that_is_needed_stays() -> None:
    def fails(run: Script) -> bool:
        return run.options.chops == 5 and any("a" in copy.sources for copy in run.options.copies)

    small = simplify_options(intricate(), fails, 1000)
    assert small.options.chops == 5
    assert [copy.sources for copy in small.options.copies] == [("a",)]


def test_number_of_tried_options_is_limited() -> None:
    tried: list[Script] = []

    def fails(run: Script) -> bool:
        tried.append(run)
        return False

    assert simplify_options(intricate(), fails, 6) == intricate()
    assert len(tried) == 6


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (ScheduleStep(1, "write", ("b",)), ("b",)),
        (ScheduleStep(1, "write", ("a",)), None),
        (ScheduleStep(1, "cut", ("a", "b")), None),
        (ScheduleStep(1, "claim", ("a", "b", "c")), ("b", "c")),
        (ScheduleStep(1, "bereave", ("a", "b", "c")), None),
        (ScheduleStep(1, "bereave", ("a", "b", "c", "d")), ("b", "c", "d")),
        (ScheduleStep(1, "split", ("a",)), None),
    ],
)
def test_step_without_region(step: ScheduleStep, left: tuple[str, ...] | None) -> None:
    found = without_command(step, "a")
    assert (None if found is None else found.regions) == left


def test_run_that_was_made_plain_can_be_played() -> None:
    small = simplify_options(intricate(), lambda _run: True, 1000)
    assert small.options.names == ("a", "b")
    assert Run(small.options).play_steps(small.steps).promise == ""


@pytest.mark.parametrize(
    ("promise", "reason", "same"),
    [
        ("no crash", "KeyError: 2 (at in file.py:7)", True),
        ("no crash", "KeyError: 1 (at in file.py:8)", False),
        ("liveness", "KeyError: 1 (at in file.py:7)", False),
    ],
)
def test_crash_is_same_at_same_place(promise: str, reason: str, *, same: bool) -> None:
    valid = Run(attrs.evolve(intricate().options, length=0, core=0)).play_steps([])
    failed = attrs.evolve(valid, promise="no crash", reason="KeyError: 1 (at in file.py:7)")
    assert is_same_failure(attrs.evolve(valid, promise=promise, reason=reason), failed) is same


def test_other_failures_are_same_by_their_promise() -> None:
    valid = Run(attrs.evolve(intricate().options, length=0, core=0)).play_steps([])
    failed = attrs.evolve(valid, promise="liveness", reason="(a)")
    assert is_same_failure(attrs.evolve(failed, reason="(b)"), failed)
