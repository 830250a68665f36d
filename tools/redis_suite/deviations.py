"""The tests of Redis' suite that a region is known not to pass, from `docs/compatibility.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from tools.redis_suite.units import UnitResult

TITLE: Final = "\n## Tests of Redis that a region does not pass\n"
ROW: Final = re.compile(r"^\| `(unit/[^`]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


@attrs.frozen
class Comparison:
    """The result of one unit: tests that only redis-server passed, and deviations that are none."""

    missing: frozenset[str]
    """Tests that redis-server passed and the region did not, and that the page does not list."""
    explained: frozenset[str]
    """The deviations that the page lists."""
    outdated: frozenset[str]
    """Tests that the page lists although the region passed them."""


def read(page: str) -> dict[str, dict[str, str]]:
    """Return the reason of each deviation of the page, by unit and by the name of the test."""
    section = page.partition(TITLE)[2].partition("\n## ")[0]
    found: dict[str, dict[str, str]] = {}
    for unit, test, reason in ROW.findall(section):
        found.setdefault(unit, {})[test.replace("\\|", "|")] = reason
    return found


def compare(theirs: UnitResult, ours: UnitResult, known: Mapping[str, str]) -> Comparison:
    """Compare what redis-server and a region passed, with the deviations of that unit."""
    differing = theirs.passed - ours.passed
    return Comparison(
        missing=differing - known.keys(),
        explained=differing & known.keys(),
        outdated=ours.passed & known.keys(),
    )
