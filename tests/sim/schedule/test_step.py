"""Schedules as data: their text, and merging by time."""

from __future__ import annotations

from sim.engine.events import MS, SECOND
from sim.schedule.step import ScheduleStep, merge_steps


def test_write_shows_its_commands() -> None:
    step = ScheduleStep(
        1500 * MS, "write", ("eu",), commands=(("MULTI",), ("SET", "a", "1"), ("EXEC",))
    )
    assert str(step) == "     1.500 s write eu MULTI SET a 1 EXEC"


def test_fault_shows_length_and_strength() -> None:
    assert str(ScheduleStep(0, "slow", ("eu", "us"), 2 * SECOND, 20)) == (
        "     0.000 s slow eu us for 2.000 s (20)"
    )
    assert str(ScheduleStep(0, "cut", ("eu", "us"))) == "     0.000 s cut eu us"


def test_streams_are_merged_by_time_and_first_leads() -> None:
    writes = [ScheduleStep(1, "a"), ScheduleStep(3, "b")]
    faults = [ScheduleStep(0, "c"), ScheduleStep(1, "d"), ScheduleStep(3, "e")]
    assert [step.kind for step in merge_steps(writes, faults)] == ["c", "a", "d", "b", "e"]
