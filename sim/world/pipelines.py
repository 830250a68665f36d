"""The invariant `pipelines`: each request of a long pipeline is answered, in order.

A process runs only so many requests of a client before it serves others. It goes on with the rest
without waiting for further bytes, since a client may send nothing more until all replies have come.
"""

from __future__ import annotations

from typing import Final

from sim.engine.checker import Violation
from sim.engine.rng import SeededRandom
from sim.nodes.client import parse_replies
from sim.world.world import SimWorld

PROMISE: Final = "pipelines"
REQUESTS: Final = 5000
"""More than a process runs for one client at a time."""
RUNS: Final = 8  # in one of so many runs the pipeline is sent


def check_pipelines(world: SimWorld) -> None:
    """Let a client send a long pipeline to a region, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "pipelines")
    if rng.happens_in(1, RUNS):
        world.count_probe(PROMISE)
        send_pipeline(world, rng.choose_one(tuple(world.sites)))


def send_pipeline(world: SimWorld, region: str) -> None:
    """Send a long pipeline to a region. Raises Violation if replies are missing or wrong."""
    site = world.sites[region]
    site.sim_client.late = b""
    words = [str(number) for number in range(REQUESTS)]
    replies = site.run_in_turn(*(("ECHO", word) for word in words))
    site.finish_turn()
    replies += parse_replies(site.sim_client.late)
    if replies != [word.encode() for word in words]:
        raise Violation(
            PROMISE,
            f"{region} answers {len(replies)} of {REQUESTS} requests that came together",
        )
