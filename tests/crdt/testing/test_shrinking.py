"""Shrinking: the schedule still fails, and each of its steps is needed."""

from __future__ import annotations

import random

from crdt.testing.shrinking import TRIALS_MAX, Shrinker
from crdt.testing.worlds.steps import Step, draw


def writes(steps: list[Step]) -> int:
    return sum(step.kind == "write" for step in steps)


def test_unneeded_steps_are_removed() -> None:
    steps = draw(random.Random(1), 80)
    assert writes(steps) > 3
    small = Shrinker(steps, lambda candidate: writes(candidate) >= 3).shrink()
    assert small == [Step("write", 0, 0)] * 3


def test_numbers_become_as_plain_as_they_can() -> None:
    steps = [Step("write", 40, 41), Step("heal"), Step("write", 7, 50)]

    def fails(candidate: list[Step]) -> bool:
        return len(candidate) > 1 and candidate[-1].second >= 17 and candidate[0].first > 1

    small = Shrinker(steps, fails).shrink()
    assert small == [Step("write", 2, 0), Step("write", 0, 17)]


def test_shrinking_ends_if_everything_fails() -> None:
    assert Shrinker(draw(random.Random(2), 60), lambda _: True).shrink() == []


def test_its_trials_are_bounded() -> None:
    tried = 0

    def fails(candidate: list[Step]) -> bool:
        nonlocal tried
        tried += 1
        return len(candidate) == 3000

    Shrinker([Step("write", 60, 60)] * 3000, fails).shrink()
    assert tried == TRIALS_MAX
