"""The arguments of searches."""

from __future__ import annotations

import pytest

from crdb.commands.geo.search_request import (
    FARTHEST_FIRST,
    NEAREST_FIRST,
    UNSORTED,
    SearchRequest,
    Storing,
)
from crdb.engine.errors import SYNTAX, CommandError


def read(text: str) -> SearchRequest:
    request = SearchRequest(None)
    words = f"GEOSEARCH k FROMLONLAT 1 2 {text}".encode().split()
    request.read_search(words, 2, Storing.NEVER)
    return request


def test_lengths_are_in_metres() -> None:
    circle = read("BYRADIUS 2 km").area
    assert (circle.reach, circle.half_width, circle.is_box) == (2000, 2000, False)
    box = read("BYBOX 6 8 Km").area
    assert (box.half_width, box.half_height, box.reach) == (3000, 4000, 5000)


def test_count_takes_the_nearest_unless_any_allows_others() -> None:
    assert read("BYRADIUS 2 m").order == UNSORTED
    assert read("BYRADIUS 2 m COUNT 3").order == NEAREST_FIRST
    assert read("BYRADIUS 2 m COUNT 3 ANY").order == UNSORTED
    assert read("BYRADIUS 2 m COUNT 3 DESC").order == FARTHEST_FIRST


def test_last_of_several_shapes_counts() -> None:
    request = read("BYRADIUS 2 m BYRADIUS 3 m")
    assert request.area.reach == 3
    for text in ("BYRADIUS 2 m BYBOX 1 1 m", "BYRADIUS 1 m FROMMEMBER a", "STOREDIST"):
        with pytest.raises(CommandError) as refused:
            read(text)
        assert refused.value.text == SYNTAX
