"""Planted bugs, each of which exactly one checker must find.

`caught(play)` plays a scenario and returns the names of the promises that it breaks. A scenario
gets a new world of three linked regions, and plants its bug there.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.engine.checker import Checker, Violation
from sim.engine.events import SECOND
from sim.nodes.effects import EFFECTS_MAX
from sim.nodes.linked_process import LinkedProcess
from sim.nodes.region import SimRegion
from sim.schedule.plan import Copy, Plan
from sim.world.world import CHECKERS, SimWorld

NAMES = ("eu", "us", "ap")

Play = Callable[[SimWorld], None]
Take = Callable[[], Outcome]
"""Takes in the operation that has come."""


def fresh(
    *checkers: type[Checker], names: tuple[str, ...] = NAMES, copies: tuple[Copy, ...] = ()
) -> SimWorld:
    """Return a world in which all regions are linked and know of each other."""
    plan = attrs.evolve(Plan.of(names, delay_ms=20), copies=copies)
    world = SimWorld(plan, checkers=checkers or CHECKERS)
    assert world.converge(10 * SECOND)
    world.sleep(2 * SECOND)
    return world


def finish(world: SimWorld) -> None:
    """Let everything arrive, and run all checks."""
    assert world.converge(30 * SECOND)
    world.sleep(SECOND)
    world.check_end()


def caught(play: Play) -> list[str]:
    """Return the promises that a scenario violates, in the order of the checkers.

    A violation ends the scenario. It is then played again without the checker that has found it.
    """
    kinds = list(CHECKERS)
    while True:
        world = fresh(*kinds)
        try:
            play(world)
        except Violation as violation:
            (broken,) = (kind for kind in kinds if kind.promise == violation.promise)
            kinds.remove(broken)
        else:
            return [kind.promise for kind in CHECKERS if kind not in kinds]


def checker_of(world: SimWorld) -> Checker:
    """The only checker of a world."""
    (checker,) = world.checkers
    return checker


def on_accept(site: SimRegion, act: Callable[[Op, Take], Outcome]) -> None:
    """Put `act` between a region's links and its replica. It gets each operation, and the function
    that accepts it."""
    applier = site.links.local_applier
    take = applier.accept

    def accept(data: bytes) -> Outcome:
        return act(Op.from_bytes(data), lambda: take(data))

    applier.accept = accept


def writes(op: Op, key: bytes) -> bool:
    """Return whether an operation concerns a key."""
    return any(effect[2] == key for effect in op.effects)


def drop_key(site: LinkedProcess, key: bytes) -> None:
    """Lose a key without an operation."""
    keyspace = site.replica.keyspace
    keyspace.settle(key)
    keyspace.data.drop(key)
    site.state_hash.before_change(key)


def fill(world: SimWorld, region: str, key: str) -> None:
    """Write a set so often that the checker of rules skips it."""
    world.run_all(region, *(("SADD", key, f"item{i}") for i in range(EFFECTS_MAX + 1)))
