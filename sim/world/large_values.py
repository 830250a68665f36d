"""The invariant `large values`: a large string that is written again and again fills no link.

In some runs a client of a quiet region writes a large string many times within a few ms. The
operations that the region makes meanwhile contain at most what LARGE_BYTES_PER_SECOND allows, and
two values more: the first and the last. A write to another key ends the wait for a later value, so
operations with several effects do not count. An operation that arrives and a timer of a link end
the wait, too. So the client begins when all regions have converged and no timer is due soon.

Not checked where windows or backlogs are small or ways are slow: transfers would take too long.
"""

from __future__ import annotations

from typing import Final

from crdt.causality.dots import region_of
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.region import SimRegion
from sim.world.freshness import arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "large values"
RUNS: Final = 2  # in one of so many runs that allow it, a large string is written
LARGE_BYTES_PER_SECOND: Final = 100 << 20
"""The rate at which one large string is sent that is written again and again."""
VALUE_BYTES: Final = 400_000
WRITES: Final = 10
ROOM_BYTES_MIN: Final = 1 << 20
"""The smallest window and backlog."""
KEY: Final = "large"


def check_large_values(world: SimWorld) -> None:
    """Let a client write a large string many times, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "large values")
    rooms = [
        min(site.tuning.limits.window_bytes_max, site.tuning.history_bytes)
        for site in world.sites.values()
    ]
    is_slow = any(way.bandwidth for way in world.network)
    if min(rooms) < ROOM_BYTES_MIN or is_slow or not rng.happens_in(1, RUNS):
        return
    if not world.converge(2 * arrival_limit_ns(world)):
        return  # `liveness` reports that
    site = world.sites[rng.choose_one(tuple(world.sites))]
    if world.wait_for(lambda: has_time(site), SECOND):
        world.count_probe(PROMISE)
        write_large_string(world, site)


def has_time(site: SimRegion) -> bool:
    """Return whether no timer of a link of a region is due while the string is written."""
    return site.links.next_deadline > site.engine.now + WRITES * MS


def write_large_string(world: SimWorld, site: SimRegion) -> None:
    """Write a large string each ms. Raises Violation if the operations are too large."""
    first, begin = len(world.run_history.in_order), world.now
    for number in range(WRITES):
        site.run_commands(("SET", KEY, f"{number}" * VALUE_BYTES))
        world.sleep(MS)
    made = [
        entry.data
        for entry in world.run_history.in_order[first:]
        if region_of(entry.origin) == site.number and entry.first == entry.last
    ]
    size = sum(map(len, made))
    allowed = LARGE_BYTES_PER_SECOND * (world.now - begin) // SECOND + 2 * VALUE_BYTES
    if size > allowed:
        raise Violation(
            PROMISE,
            f"{site.name} makes {len(made)} operations of {size} bytes for {WRITES} values of"
            f" {VALUE_BYTES} bytes under one key, where {allowed} bytes may be made",
        )
    site.run_commands(("DEL", KEY))
