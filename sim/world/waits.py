"""The invariant `acknowledged writes`: WAIT counts the regions that have what a client has written.

In some runs a client of a healed, quiet region writes and sends WAIT. If it waits for more regions
than there are, WAIT replies the number of all other regions when its time is over, also if other
clients have written a moment before. If it waits for all other regions, WAIT replies as soon as
these have acknowledged the write.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.execution.executor import receive
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import SimClient, parse_replies
from sim.nodes.region import SimRegion
from sim.world.freshness import arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "acknowledged writes"
RUNS: Final = 5  # in one of so many runs this is checked
LIMIT_NS_MAX: Final = 2 * SECOND
"""The greatest time limit of an acknowledgement with which this is checked. Others cost too much
time."""
TOO_MANY: Final = "99"
KEY: Final = "acked"


def check_waits(world: SimWorld) -> None:
    """Let a client wait for its write, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "waits")
    if rng.happens_in(1, RUNS) and acknowledged_limit_ns(world) < LIMIT_NS_MAX:
        world.count_probe(PROMISE)
        world.sleep(acknowledged_limit_ns(world))
        site = world.sites[rng.choose_one(tuple(world.sites))]
        wait_for_regions(world, site, too_many=rng.happens_in(2, 3))
        world.run(site.name, "DEL", KEY)


def wait_for_regions(world: SimWorld, site: SimRegion, *, too_many: bool) -> None:
    """Write, and wait for all other regions or for more than there are. Raises Violation."""
    others = len(world.sites) - 1
    limit_ms = acknowledged_limit_ns(world) // MS
    client = SimClient(site.instance)
    world.run(site.name, "SADD", KEY, "a")
    words = ("WAIT", TOO_MANY if too_many else str(others), str(limit_ms if too_many else 0))
    replies = client.send_commands(words)
    site.finish_turn()
    begin = world.now
    world.sleep((limit_ms - 1) * MS)
    if too_many:
        world.run(site.name, "SADD", KEY, "b")
    world.sleep_until(begin + (limit_ms + 1) * MS)
    site.advance_clocks()
    replies += parse_replies(receive(client.client, b""))
    site.instance.forget(client.client)
    if replies != [others]:
        raise Violation(
            PROMISE,
            f"{site.name} answers {' '.join(words)} with {replies} within {limit_ms + 1} ms, where"
            f" {others} regions have the write",
        )


def acknowledged_limit_ns(world: SimWorld) -> int:
    """Return the time limit for a write to be acknowledged by all regions, in a quiet world."""
    limits = [site.tuning.limits for site in world.sites.values()]
    regular = max(each.ack_ns + each.longest_ns for each in limits)
    hops = len(world.sites)  # the report of a region may be relayed by all others
    trips = 2 * arrival_limit_ns(world) + 2 * world.network.worst_delay()
    return trips + hops * regular + SECOND // 10
