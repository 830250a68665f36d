"""The table of types: codes travel, so they stay what they are."""

from __future__ import annotations

import pytest

from crdt.effects import SHAPES
from crdt.types import MAKERS


def test_the_codes_are_those_that_peers_know() -> None:
    assert {code: make().code() for code, make in MAKERS.items()} == {n: n for n in range(1, 11)}
    assert [type(make()).__name__ for _, make in sorted(MAKERS.items())] == [
        "String",
        "Set",
        "Hash",
        "SortedSet",
        "List",
        "MultiValue",
        "RemoveWinsSet",
        "GrowCounter",
        "EnableWinsFlag",
        "DisableWinsFlag",
    ]


def test_every_type_has_effects_and_every_effect_has_a_type() -> None:
    assert {kind >> 4 for kind in SHAPES if kind >> 4} == MAKERS.keys()


@pytest.mark.parametrize("code", sorted(MAKERS))
def test_a_new_value_is_nothing_and_its_state_says_so(code: int) -> None:
    value, copy = MAKERS[code](), MAKERS[code]()
    assert not value.alive()
    assert value.vacant()
    assert not value.litter()
    copy.load(value.state())
    assert copy.vacant()
