"""Schedules under Hypothesis, as a strategy and as a state machine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from crdt.testing import SUBJECTS, Step, World
from crdt.testing.adapter import RegionMachine, schedules
from crdt.testing.builtin_types.single_types import add_wins
from crdt.testing.checking import subject_of
from tests.crdt.testing.planted import ADD, REMOVE, GreedyCart
from tests.crdt.testing.right_types import MaxMap
from tests.crdt.testing.wrong_types import OneValue

SHRUNK = [Phase.generate, Phase.shrink]


class KeyspaceMachine(RegionMachine):
    """A machine with all types on the same keys."""

    subject = SUBJECTS["keyspace"]


class GreedyMachine(RegionMachine):
    """A machine with a set that is wrong."""

    subject = subject_of(GreedyCart, [(ADD, b"milk"), (REMOVE, b"milk")], add_wins)


class RightMachine(RegionMachine):
    """A machine with a type that needs no replica."""

    subject = subject_of(MaxMap, [("put", "a", 1), ("put", "a", 2)])


class WrongMachine(RegionMachine):
    """A machine with a type that does not converge."""

    subject = subject_of(OneValue, [("put", "a"), ("put", "b")])


TestKeyspace: Any = KeyspaceMachine.TestCase
TestKeyspace.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)


@given(schedules(25))
@settings(max_examples=20)
def test_schedule_drawn_by_hypothesis(steps: list[Step]) -> None:
    World(SUBJECTS["contest"]).run(steps)


@given(st.data())
@settings(max_examples=5)
def test_schedules_are_bounded(data: st.DataObject) -> None:
    assert len(data.draw(schedules(3))) <= 3


def test_machine_finds_wrong_type() -> None:
    generate = settings(
        max_examples=200,
        stateful_step_count=20,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    found = "value equals specification|garbage collection is invisible"
    with pytest.raises(AssertionError, match=found) as caught:
        run_state_machine_as_test(GreedyMachine, settings=generate)
    assert "subject GreedyCart" in str(caught.value)


def test_machine_shrinks_and_reports_one_failure_once() -> None:
    once = settings(
        max_examples=500,
        stateful_step_count=20,
        deadline=None,
        database=None,
        derandomize=True,
        phases=SHRUNK,
    )
    with pytest.raises(AssertionError, match="shows set") as caught:
        run_state_machine_as_test(GreedyMachine, settings=once)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("machine", [RightMachine, WrongMachine])
def test_machine_runs_types_outside_of_replicas(machine: type[RegionMachine]) -> None:
    run = settings(
        max_examples=40 if machine is RightMachine else 1_000,
        stateful_step_count=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=SHRUNK,
    )
    if machine is RightMachine:
        run_state_machine_as_test(machine, settings=run)
        return
    with pytest.raises(AssertionError, match="after the same operations"):
        run_state_machine_as_test(machine, settings=run)


def test_machine_without_subject_says_what_to_write() -> None:
    class Nameless(RegionMachine):
        pass

    with pytest.raises(TypeError, match=r"Nameless has no subject. Write `subject = subject_of"):
        Nameless()


def test_drawn_schedule_reads_and_evaluates() -> None:
    @given(schedules(3))
    @settings(database=None, phases=SHRUNK)
    def fails_at_write(steps: list[Step]) -> None:
        assert not any(step.kind == "write" for step in steps)

    with pytest.raises(AssertionError) as caught:
        fails_at_write()
    notes = "".join(caught.value.__notes__)
    assert "Step('write', 0, 0)" in notes
