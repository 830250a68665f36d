"""Play every scenario of conflicts in the simulator, where cuts are free and time is simulated."""

from __future__ import annotations

import pytest

from sim.scenarios.conflicts import ConflictScenario
from sim.scenarios.scenario import perform_conflict
from tests.contract.conflicts.loading import each_timed_conflict

pytestmark = [pytest.mark.no_cover, pytest.mark.long]  # its parts have tests of their own


@each_timed_conflict
def test_conflict_in_simulator(conflict: ConflictScenario) -> None:
    perform_conflict(conflict)
