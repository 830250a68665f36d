"""A time to live that a client renews more than a thousand times, next to keys that expire soon.

These must be deleted in time (see `tidying`).
"""

from __future__ import annotations

from typing import Final

from crdt.causality.op import OP_BYTES
from crdt.types.components.deadlines import HEAP_SLACK
from sim.engine.events import MS
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep, Words
from sim.world.world import SimWorld

SHORT_KEYS: Final = 12
LONG_KEYS: Final = 30
SHORT_MS: Final = 2_000
LONG_MS: Final = 3_600_000
ROOM_BYTES: Final = 1 << 16  # a causal buffer takes in the operation in one go
PARTS: Final = 3_000  # bytes; a link sends it in some twenty parts at most


def renew_deadline(world: SimWorld, step: ScheduleStep) -> Done:
    """Let a client of a region set the time to live of one key again and again, in one turn. There
    are older keys that live long, and keys that expire soon."""
    site = world.sites[step.regions[0]]
    if not site.can_write or not has_room(world):
        return False, None
    prefix = f"renewed:{step.at // MS}"
    turns = range(HEAP_SLACK + 2 * keys_max(world))
    commands: list[Words] = [
        *(("SET", f"{prefix}.{each}", "v", "PX", str(LONG_MS)) for each in range(LONG_KEYS)),
        *(("SET", f"{prefix}.short{each}", "v", "PX", str(SHORT_MS)) for each in range(SHORT_KEYS)),
        *(("PEXPIRE", f"{prefix}.0", str(LONG_MS + turn)) for turn in turns),
    ]
    world.run_all(site.name, *commands)
    return True, None


def has_room(world: SimWorld) -> bool:
    """Return whether all regions can send and receive a large operation."""
    return all(map(takes_large_operations, world.sites.values()))


def takes_large_operations(site: SimRegion) -> bool:
    """Return whether no limit of a region is at the low end of its range."""
    tuning = site.tuning
    is_whole = tuning.op_bytes == OP_BYTES and tuning.waiting_bytes >= ROOM_BYTES
    return is_whole and min(tuning.limits.window_bytes_max, tuning.limits.batch_bytes_max) >= PARTS


def keys_max(world: SimWorld) -> int:
    """Return the largest number of keys in a region, with those of this fault."""
    held = [len(site.replica.keyspace.held_keys()) for site in world.sites.values()]
    return max(held) + LONG_KEYS + SHORT_KEYS
