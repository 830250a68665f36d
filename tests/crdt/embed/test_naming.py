"""Identities drawn at random."""

from __future__ import annotations

from crdt.causality.dots import INCARNATION_MAX, ORIGIN_MAX, make_origin, region_of
from crdt.embed.naming import draw_incarnation, draw_origin


def test_identity_is_any_region_and_incarnation() -> None:
    drawn = [draw_origin() for _ in range(300)]
    assert all(make_origin(1) <= origin <= ORIGIN_MAX for origin in drawn)
    assert len(set(map(region_of, drawn))) > 100


def test_another_incarnation_is_one_that_is_not_known() -> None:
    known = {
        make_origin(7, number) for number in range(INCARNATION_MAX + 1) if number not in (3, 9)
    }
    assert draw_incarnation(make_origin(7, 3), known) == make_origin(7, 9)
