"""The package data is complete: region names, matrices and outlines."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product

import pytest

from geo.tables import outlines, rows

NAMED = {(row["provider"], row["name"]) for row in rows("regions.csv")}


def test_every_region_is_named_once() -> None:
    assert len(NAMED) == len(rows("regions.csv")) == 86


@pytest.mark.parametrize(("provider", "count"), [("aws", 21), ("azure", 35), ("ibm", 10)])
def test_matrix_is_square_and_its_regions_are_known(provider: str, count: int) -> None:
    table = rows(f"rtt_{provider}.csv")
    names = [row["from"] for row in table]
    assert len(names) == count
    assert names == sorted(names) == [column for column in table[0] if column != "from"]
    assert {(provider, name) for name in names} <= NAMED


@pytest.mark.parametrize(("provider", "count"), [("aws", 19), ("gcp", 20)])
def test_pings_are_there_for_all_ordered_pairs(provider: str, count: int) -> None:
    pairs = [(row["from"], row["to"]) for row in rows(f"ping_{provider}.csv")]
    names = {source for source, _ in pairs}
    assert len(names) == count
    assert pairs == sorted(product(names, repeat=2))
    assert {(provider, name) for name in names} <= NAMED


def test_outlines_are_polygons_on_globe() -> None:
    rings = outlines()
    assert len(rings) > 20
    for ring in rings:
        assert len(ring) >= 3
        assert all(-180 <= east <= 180 and -60 <= north <= 80 for east, north in ring)


def test_description_covers_every_file() -> None:
    folder = files("geo").joinpath("data")
    described = folder.joinpath("README.md").read_text(encoding="utf-8")
    for file in folder.iterdir():
        pattern = re.sub(r"_(aws|azure|gcp|ibm)", "_<provider>", file.name)
        assert file.name == "README.md" or f"`{pattern}`" in described
