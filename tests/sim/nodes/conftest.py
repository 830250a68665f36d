"""The world of the tests of simulated processes."""

from __future__ import annotations

import attrs
import pytest

from sim.engine.events import SECOND
from sim.schedule.plan import Copy, Plan
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    """Return two linked regions, and a follower of the first."""
    plan = Plan.of(["eu", "us"], delay_ms=20)
    made = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("eu",)),)))
    made.sleep(2 * SECOND)
    return made
