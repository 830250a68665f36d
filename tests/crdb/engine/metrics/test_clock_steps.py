"""Detecting that the wall clock was set."""

from __future__ import annotations

from crdb.engine.metrics.clock_steps import ClockSteps
from crdt.store.keyspace import CLOCK_SLACK_MS


def test_step_is_noticed_both_ways() -> None:
    steps = ClockSteps()
    assert not steps.record(100, 1_700_000_000_000), "the first tells nothing"
    assert not steps.record(200, 1_700_000_000_100)
    assert steps.record(300, 1_700_007_200_200)
    assert (steps.count, steps.last_ms) == (1, 7_200_000)
    assert steps.record(400, 1_700_000_000_300)
    assert (steps.count, steps.last_ms) == (2, -7_200_000)
    assert not steps.record(60_400, 1_700_000_060_300)


def test_small_corrections_and_drift_are_not_steps() -> None:
    steps = ClockSteps()
    for number in range(100):
        assert not steps.record(number * 1000, number * (1000 + CLOCK_SLACK_MS))
    assert steps.count == 0
