"""The text form of the vector that a region held."""

from __future__ import annotations

import pytest

from crdb.region.core.held_vector import format_held_vector, parse_held_vector


def test_vector_survives_round_trip() -> None:
    vector = {32770: 1 << 39, 16384: 5}
    assert format_held_vector(vector) == f"16384 5\n32770 {1 << 39}\n"
    assert parse_held_vector(format_held_vector(vector)) == vector
    assert parse_held_vector(format_held_vector({})) == {}


@pytest.mark.parametrize("text", ["1", "1 2 3", "a b", "\xff\xfe", "16384 -1", "² 3"])
def test_damaged_text_is_unknown(text: str) -> None:
    assert parse_held_vector(text) is None


def test_numbers_out_of_range_are_left_out() -> None:
    assert parse_held_vector(f"99999999999 1\n16384 {1 << 80}\n16385 7\n") == {16385: 7}
