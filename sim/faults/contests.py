"""A key that regions create with several types, and that is read before the last one is known.

Two regions create it at the same time, and clients read it there. The lowest region has created it
too, and was away. All must then show what that one has created.
"""

from __future__ import annotations

from typing import Final

from sim.engine.events import MS
from sim.schedule.step import Done, ScheduleStep, Words
from sim.world.world import SimWorld

MADE: Final[tuple[Words, ...]] = (
    *(("RPUSH", "x"), ("SADD", "x"), ("HSET", "f", "v"), ("ZADD", "1", "m")),
    ("SET", "v"),
)
"""The commands that create the key, without it."""


def contest_key(world: SimWorld, step: ScheduleStep) -> Done:
    """Let the regions create a key with several types at the same time, the lowest one while it is
    away. The others read it before that one is back."""
    lowest, *others = sorted(world.sites.values(), key=lambda site: site.number)
    if not all(site.can_write for site in (lowest, *others)):
        return False, None
    for other in others:
        world.cut(lowest.name, other.name)
    key = f"contest:{step.at // MS}"
    for site, (name, *rest) in zip((lowest, *others), MADE, strict=False):
        world.run(site.name, name, key, *rest)

    def read_and_reconnect() -> None:
        for site in others:
            if site.can_write:
                world.run(site.name, "TYPE", key)
        for other in others:
            world.heal(lowest.name, other.name)

    return True, read_and_reconnect
