"""The checker of durability finds a write that all regions lose in the same step."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.checkers.clients.durability import DurabilityChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import (
    Take,
    caught,
    checker_of,
    drop_key,
    fill,
    finish,
    fresh,
    on_accept,
    writes,
)


def everybody_forgets(world: SimWorld) -> None:
    """In every region, an operation on one key also removes another key. So the regions agree."""
    for name in ("us", "ap"):
        site = world.sites[name]

        def act(op: Op, take: Take, site: SimRegion = site) -> Outcome:
            outcome = take()
            if writes(op, b"trigger"):
                drop_key(site, b"cart")
            return outcome

        on_accept(site, act)
    fill(world, "eu", "cart")
    assert world.converge(10 * SECOND)
    eu = world.sites["eu"]
    drop_key(eu, b"cart")
    world.run("eu", "SET", "trigger", "1")
    finish(world)


def test_write_that_all_forget_is_caught() -> None:
    assert caught(everybody_forgets) == ["durability"]


def owed(world: SimWorld, origin: int) -> int:
    """Return the number of effects of an origin that must survive."""
    checker = checker_of(world)
    assert isinstance(checker, DurabilityChecker)
    return checker.owed[origin]


def test_region_that_loses_its_memory_owes_what_others_have() -> None:
    world = fresh(DurabilityChecker)
    world.run("us", "SET", "a", "1")
    assert world.converge(10 * SECOND)
    world.cut("us", "eu")
    world.cut("us", "ap")
    world.run("us", "SET", "b", "1")
    assert owed(world, 2 << 14) == 2
    kept = world.sites["us"].take_snapshot()
    world.crash_process("us")
    assert owed(world, 2 << 14) == 1
    world.restart_process("us", kept)
    assert owed(world, 2 << 14) == 2


def test_losing_what_is_owed_is_caught() -> None:
    world = fresh(DurabilityChecker)
    world.run("us", "SET", "a", "1")
    assert world.converge(10 * SECOND)
    checker = checker_of(world)
    assert isinstance(checker, DurabilityChecker)
    checker.owed[2 << 14] = 3
    with pytest.raises(Violation, match="eu has 2 up to 1, 3 were acknowledged"):
        world.check_end()


def test_effect_without_its_cause_is_caught() -> None:
    world = fresh(DurabilityChecker)
    world.run("us", "SET", "a", "1")
    world.run("us", "SET", "a", "2")
    assert world.converge(10 * SECOND)
    del world.run_history.in_order[0]
    with pytest.raises(Violation, match=r"2:2\.\.2 does not follow from what was before"):
        world.check_end()
