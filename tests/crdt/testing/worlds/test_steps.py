"""Steps: every number is valid, and text is read back unchanged."""

from __future__ import annotations

import random

import pytest

from crdt.testing.worlds.steps import KINDS, NAMES, Step, draw, format_number, number_of


@pytest.mark.parametrize("kind", NAMES)
def test_step_reads_as_it_is_written(kind: str) -> None:
    fields = KINDS[kind][0]
    words = str(Step(kind, 2, 1)).split()
    assert words[0] == kind
    assert len(words) == 1 + len(fields)
    numbers = [number_of(field, word) for field, word in zip(fields, words[1:], strict=True)]
    assert numbers == [2, 1][: len(fields)]


def test_text_counts_regions_from_one() -> None:
    assert str(Step("advance", 1, 2)) == "advance 2 200"
    assert str(Step("advance", 4, 5)) == "advance all -20"
    assert str(Step("pull", 3, 5)) == "pull 1 3"
    assert number_of("regions", "all") == 3
    assert format_number("choice", 17) == "17"
    with pytest.raises(ValueError, match="7"):
        number_of("ahead", "7")


def test_one_seed_draws_one_schedule() -> None:
    drawn = draw(random.Random("a"), 50)
    assert drawn == draw(random.Random("a"), 50)
    assert drawn != draw(random.Random("b"), 50)
    assert len(drawn) == 50


def test_every_schedule_writes_and_lets_something_through() -> None:
    for seed in range(200):
        kinds = {step.kind for step in draw(random.Random(seed), 300)}
        assert "write" in kinds
        assert kinds & {"deliver", "pull", "merge"}


def test_some_kinds_are_switched_off_for_whole_schedule() -> None:
    drawn = [{step.kind for step in draw(random.Random(seed), 400)} for seed in range(50)]
    for kind in set(NAMES) - {"write", "deliver"}:
        assert any(kind not in kinds for kinds in drawn), kind
        assert any(kind in kinds for kinds in drawn), kind
