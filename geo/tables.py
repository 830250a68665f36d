"""The data files of this package as rows and rings. `geo/data/README.md` describes them.

These constant files are the only input of `geo`.
"""

from __future__ import annotations

import csv
from importlib.resources import files

# The outline of a land mass: points in degrees east and north. The last point joins the first.
Ring = tuple[tuple[float, float], ...]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each as a dict by column name."""
    return list(csv.DictReader(_read_text(name).splitlines()))


def outlines() -> tuple[Ring, ...]:
    """Return coarse outlines of the continents. They serve only as a background."""
    return tuple(
        _parse_ring(line.partition(":")[2]) for line in _read_text("land.txt").splitlines()
    )


def _parse_ring(points: str) -> Ring:
    pairs = (point.split() for point in points.split(","))
    return tuple((float(east), float(north)) for east, north in pairs)


def _read_text(name: str) -> str:
    return files("geo").joinpath("data", name).read_text(encoding="utf-8")
