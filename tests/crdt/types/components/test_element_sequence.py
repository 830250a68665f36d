"""The record of the latest dots in a list, by which a removal of everything is recognised."""

from __future__ import annotations

from crdt.causality.dots import make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.types.components.element_sequence import ElementSequence

A, B, C = make_origin(1), make_origin(2), make_origin(3)


def test_effect_that_has_seen_all_dots_is_recognised() -> None:
    held = ElementSequence()
    assert held.is_observed(Observed({}, C, 1, 0))
    for origin, seq in ((A, 3), (A, 2), (B, 5), (B, 4), (C, 6)):
        held.note(make_dot(origin, seq))
    assert held.is_observed(Observed({A: 3, B: 5, C: 6}, make_origin(4), 1, 0))
    assert held.is_observed(Observed({A: 3, B: 5}, C, 7, 0))
    assert not held.is_observed(Observed({A: 2, B: 5}, C, 7, 0))
    assert not held.is_observed(Observed({A: 3, B: 4}, C, 7, 0))
    assert not held.is_observed(Observed({A: 3, B: 5}, C, 6, 0))
