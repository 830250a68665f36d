"""The scenarios of conflicts, as all backends play them.

Ours are in `tests/scenarios/conflicts/`; the language is described in `sim.scenarios.conflicts`.
`CONFORMANCE_FILE` names a file of another collection, which is played as well (see `foreign`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from sim.scenarios.conflicts import ConflictScenario, parse_conflicts
from tests.contract.conflicts.foreign import foreign_conflicts

FOLDER: Final = Path(__file__).parents[2] / "scenarios" / "conflicts"
REGIONS_MAX: Final = 3


def load_conflicts() -> list[ConflictScenario]:
    """Return all scenarios."""
    files = sorted(FOLDER.glob("*.txt"))
    found = [each for file in files for each in parse_conflicts(file.read_text("utf-8"))]
    other = os.environ.get("CONFORMANCE_FILE")
    return found + foreign_conflicts(Path(other)) if other else found


CONFLICTS: Final = load_conflicts()
each_conflict: Final = pytest.mark.parametrize(
    "conflict", CONFLICTS, ids=lambda conflict: conflict.name
)
each_timed_conflict: Final = pytest.mark.parametrize(
    "conflict",
    [conflict for conflict in CONFLICTS if not conflict.is_instant],
    ids=lambda conflict: conflict.name,
)
"""All but those that only regions can play between which a sync takes no time."""
