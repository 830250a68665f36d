"""Check each type against its specification, over random schedules."""

from __future__ import annotations

import pytest

from crdt.testing import SUBJECTS, check_subject

VALUE = "value equals specification"


@pytest.mark.long
@pytest.mark.no_cover  # it plays through everything that has tests of its own
@pytest.mark.parametrize("name", SUBJECTS)
def test_builtin_types_agree_with_specifications(name: str, schedules: int, seed: int) -> None:
    report = check_subject(SUBJECTS[name], schedules=schedules, seed=seed)
    assert report.laws[VALUE] > 10 * schedules
    assert report.laws["garbage collection is invisible"] > 0
