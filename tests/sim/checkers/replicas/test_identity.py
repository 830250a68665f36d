"""The checker of identity finds a restarted region that reuses its origin."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.checkers.replicas.identity import IdentityChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimStateDirectory
from sim.world.world import SimWorld
from tests.sim.planted import Take, caught, fresh, on_accept


def us_counts_from_one_again(world: SimWorld) -> None:
    """us takes no new incarnation, and does not wait until it has caught up."""
    world.run("us", "SET", "k", "1")
    us = world.sites["us"]
    world.crash_process("us")
    us.directory = SimStateDirectory()
    us.incarnations.clear()
    world.restart_process("us")
    us.instance.refuse_writes = None
    world.run("us", "SET", "k", "1")


def test_dot_that_is_used_twice_is_caught() -> None:
    assert caught(us_counts_from_one_again) == ["dot uniqueness"]


def test_operation_that_was_changed_on_its_way_is_caught() -> None:
    world = fresh(IdentityChecker)
    us = world.sites["us"]

    def change(op: Op, _take: Take) -> Outcome:
        return us.replica.accept(Op(op.origin, op.first, op.base + 1, op.deps, op.effects))

    on_accept(us, change)
    world.run("eu", "SET", "k", "v")
    with pytest.raises(Violation, match=r"us applied another 1:1\.\.1 than the one"):
        world.converge(10 * SECOND)


def test_invented_operation_is_found() -> None:
    world = fresh(IdentityChecker)
    forged = Op(9 << 14, 1, 0, {}, ((1, 0, b"k", 5, b"v"),))
    world.sites["us"].replica.accept(forged)
    with pytest.raises(Violation, match=r"us applied 9:1\.\.1, which nobody made"):
        world.run("us", "GET", "k")


def test_dot_that_is_left_out_is_caught() -> None:
    world = fresh(IdentityChecker)
    db = world.sites["us"].replica.keyspace
    world.run("us", "SET", "k", "v")
    world.sleep(10 * MS)
    db.seq += 1
    db.first += 1
    with pytest.raises(Violation, match=r"us left out dots before 2:3\.\.3"):
        world.run("us", "SET", "k", "w")


def test_incarnation_must_be_on_disk() -> None:
    world = fresh(IdentityChecker)
    world.sites["us"].directory.incarnation = 7
    with pytest.raises(Violation, match=r"us writes 2:1\.\.1, and its incarnation is not on disk"):
        world.run("us", "SET", "k", "v")
