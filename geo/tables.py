"""The data that this package carries, described in `geo/data/README.md`, as rows and rings.

Reading it is the only input of `geo`; the files are as constant as code.
"""

from __future__ import annotations

import csv
from importlib.resources import files

# The outline of a land mass: degrees east and north, point by point; the last joins the first.
Ring = tuple[tuple[float, float], ...]


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a CSV file, each by column name."""
    return list(csv.DictReader(_read_text(name).splitlines()))


def outlines() -> tuple[Ring, ...]:
    """The outlines of the continents, coarse: a backdrop that nothing is computed from."""
    return tuple(
        _parse_ring(line.partition(":")[2]) for line in _read_text("land.txt").splitlines()
    )


def _parse_ring(points: str) -> Ring:
    pairs = (point.split() for point in points.split(","))
    return tuple((float(east), float(north)) for east, north in pairs)


def _read_text(name: str) -> str:
    return files("geo").joinpath("data", name).read_text(encoding="utf-8")
