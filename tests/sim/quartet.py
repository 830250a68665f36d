"""Four connected regions with a follower of two of them, as a target for faults."""

from __future__ import annotations

import attrs

from sim.engine.events import SECOND
from sim.schedule.plan import Copy, Plan
from sim.world.world import SimWorld

NAMES = ("a", "b", "c", "d")
Ways = set[tuple[str, str]]


def quartet() -> SimWorld:
    """Return the four regions, and `f`, which follows `a` and `b`."""
    plan = Plan.of(NAMES, delay_ms=20)
    made = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("a", "b")),)))
    made.sleep(2 * SECOND)
    return made


def shut(world: SimWorld) -> Ways:
    """Return the ways that are cut."""
    return {(way.source, way.sink) for way in world.network if not way.is_open}
