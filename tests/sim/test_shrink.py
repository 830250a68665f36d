"""Failing schedules made short: what is left still fails, and nothing of it can be spared."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.campaign import Result, Run, Verdict, schedule
from sim.engine import SECOND
from sim.options import Options
from sim.shrink import reduce, shrink
from sim.step import Step


def numbered(count: int) -> list[Step]:
    return [Step(i, "write") for i in range(count)]


@given(st.sets(st.integers(0, 39), min_size=1, max_size=4))
def test_just_the_culprits_are_left(culprits: set[int]) -> None:
    def fails(steps: Sequence[Step]) -> bool:
        return culprits <= {step.at for step in steps}

    assert [step.at for step in reduce(numbered(40), fails, 10_000)] == sorted(culprits)


def test_no_single_one_can_be_spared() -> None:
    def fails(steps: Sequence[Step]) -> bool:
        return sum(step.at for step in steps) % 7 == 3

    left = reduce(numbered(31), fails, 10_000)
    assert fails(numbered(31))
    assert fails(left)
    assert not any(fails(left[:i] + left[i + 1 :]) for i in range(len(left)))


def test_it_stops_after_so_many_attempts() -> None:
    tried: list[int] = []

    def fails(steps: Sequence[Step]) -> bool:
        tried.append(len(steps))
        return False

    assert reduce(numbered(20), fails, 5) == numbered(20)
    assert len(tried) == 5


def test_nothing_is_short_enough() -> None:
    assert reduce([], lambda _steps: True, 5) == []


def test_only_the_same_promise_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options.draw(7, names=("eu", "us"), length=20 * SECOND, faults=("cut",), bursts=0)
    steps = list(schedule(options))
    culprit, lure = steps[1], steps[2]
    valid = Run(attrs.evolve(options, length=0, core=0)).play([])
    failed = attrs.evolve(
        valid, verdict=Verdict.INVALID, promise="convergence", virtual=steps[-1].at // 2
    )
    played: list[list[Step]] = []

    def play(_run: Run, candidate: Sequence[Step]) -> Result:
        played.append(list(candidate))
        promise = "convergence" if culprit in candidate else "growth" if lure in candidate else ""
        return attrs.evolve(failed, promise=promise)

    monkeypatch.setattr(Run, "play", play)
    assert shrink(options, failed) == [culprit]
    latest = max(step.at for candidate in played for step in candidate)
    assert latest <= failed.virtual + SECOND


def test_what_fails_only_in_the_end_may_need_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options.draw(7, names=("eu", "us"), length=20 * SECOND, faults=("cut",), bursts=0)
    steps = list(schedule(options))
    valid = Run(attrs.evolve(options, length=0, core=0)).play([])
    failed = attrs.evolve(
        valid, verdict=Verdict.INVALID, promise="liveness", virtual=options.length + 1
    )

    def play(_run: Run, candidate: Sequence[Step]) -> Result:
        return attrs.evolve(failed, promise="liveness" if steps[-1] in candidate else "")

    monkeypatch.setattr(Run, "play", play)
    assert shrink(options, failed) == [steps[-1]]
