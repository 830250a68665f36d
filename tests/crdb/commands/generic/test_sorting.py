"""SORT, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from tests.crdb.regions import Regions


@pytest.mark.parametrize(
    ("words", "positions"),
    [
        ("SORT k", [1]),
        ("SORT k BY store GET x STORE d", [1, 7]),
        ("SORT k STORE a LIMIT 0 1 store b", [1, 8]),
        ("SORT k STORE", [1]),
        ("SORT_RO k GET store", [1]),
    ],
)
def test_positions_of_keys(words: str, positions: list[int]) -> None:
    args = words.encode().split()
    assert build_table().require(args).declaration.key_positions(args) == positions


@pytest.mark.rule("D-10")
def test_stored_result_is_new_and_ends_time_to_live() -> None:
    regions = Regions(2)
    regions.run(1, "RPUSH", "x", "2", "1")
    regions.run(1, "RPUSH", "y", "old")
    regions.run(1, "EXPIRE", "y", "100")
    regions.sync()
    regions.run(1, "SORT", "x", "STORE", "y")
    regions.run(2, "RPUSH", "y", "late")
    regions.run(2, "EXPIRE", "y", "1000")
    regions.sync()
    assert regions.everywhere("LRANGE", "y", "0", "-1") == [b"1", b"2", b"late"]
    assert regions.everywhere("TTL", "y") == -1


@pytest.mark.parametrize("items", [1, 1000])
def test_missing_weight_is_before_an_empty_one(items: int) -> None:
    regions = Regions(1)
    regions.instances[1].slices.items = items
    regions.run(1, "RPUSH", "l", "text", "empty", "none")
    regions.run(1, "MSET", "wempty", "", "wtext", "a")
    assert regions.run(1, "SORT", "l", "BY", "w*", "ALPHA") == [b"none", b"empty", b"text"]
    assert regions.run(1, "SORT", "l", "BY", "w*", "ALPHA", "DESC") == [b"text", b"empty", b"none"]
