"""The records of the built-in types: complete, and in agreement with each other."""

from __future__ import annotations

import pytest

from crdt.testing.builtin_types.commands import KEY_COMMANDS, command
from crdt.testing.builtin_types.specifications import SPECIFICATIONS
from crdt.testing.builtin_types.subjects import SUBJECTS


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_samples_are_commands_of_type(name: str) -> None:
    each = SPECIFICATIONS[name]
    assert each.makes
    assert each.samples
    names = {command(text).name for text in each.samples}
    assert names <= each.perform.keys() | KEY_COMMANDS.keys()
    assert names & each.perform.keys(), "some of them are the type's own"


def test_commands_belong_to_one_type() -> None:
    names = [name for each in SPECIFICATIONS.values() for name in each.perform]
    assert len(names) == len(set(names))
    assert KEY_COMMANDS.keys().isdisjoint(names)


def test_subject_has_samples_of_its_types() -> None:
    for each in SPECIFICATIONS.values():
        assert {command(text) for text in each.samples} <= set(SUBJECTS[each.subject].commands)
