"""The incarnation at a start: the first is random, later ones count up."""

from __future__ import annotations

import pytest

from crdb.region.core.incarnations import RegionStart, choose_incarnation, parse_incarnation
from crdt.causality.dots import INCARNATION_MAX


def draw() -> int:
    return 7


@pytest.mark.parametrize(
    ("last", "start"),
    [
        (None, RegionStart(7, True)),
        (0, RegionStart(1, False)),
        (76, RegionStart(77, False)),
        (INCARNATION_MAX, RegionStart(0, False)),
    ],
)
def test_start_follows_latest_number_or_draws(last: int | None, start: RegionStart) -> None:
    assert choose_incarnation(last, draw) == start


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("77\n", 77),
        ("0", 0),
        (f"{INCARNATION_MAX}\n", INCARNATION_MAX),
        (f"{INCARNATION_MAX + 1}\n", None),
        ("seven\n", None),
        ("-1\n", None),
        ("²", None),
        ("", None),
    ],
)
def test_only_number_in_range_is_incarnation(text: str, number: int | None) -> None:
    assert parse_incarnation(text) == number
