"""The same schedules under Hypothesis: as a strategy and as a state machine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from crdt.suite import SUBJECTS, Disagreement, Step, World
from crdt.suite.adapter import RegionMachine, schedules
from crdt.suite.checking import subject_of
from crdt.suite.specifications import add_wins
from tests.crdt.suite.planted import ADD, REMOVE, GreedyCart


class KeyspaceMachine(RegionMachine):
    """All types on the same keys."""

    subject = SUBJECTS["keyspace"]


class GreedyMachine(RegionMachine):
    """A set that is wrong."""

    subject = subject_of(GreedyCart, [(ADD, b"milk"), (REMOVE, b"milk")], add_wins)


TestKeyspace: Any = KeyspaceMachine.TestCase
TestKeyspace.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)


@given(schedules(25))
@settings(max_examples=20)
def test_a_schedule_drawn_by_hypothesis(steps: list[Step]) -> None:
    World(SUBJECTS["contest"]).run(steps)


@given(st.data())
@settings(max_examples=5)
def test_schedules_are_bounded(data: st.DataObject) -> None:
    assert len(data.draw(schedules(3))) <= 3


def test_the_machine_finds_what_is_wrong() -> None:
    generate = settings(
        max_examples=200,
        stateful_step_count=20,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    first = "value equals specification|forgetting is not seen"
    with pytest.raises(Disagreement, match=first):
        run_state_machine_as_test(GreedyMachine, settings=generate)
