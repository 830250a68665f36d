"""The checker of resurrection finds a write that restores a removed value."""

from __future__ import annotations

import pytest

from crdt.writes.set import add_one
from sim.checkers.replicas.resurrection import ResurrectionChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import caught, finish, fresh


def a_ghost(world: SimWorld) -> None:
    """In eu, an add brings back what was removed before; every region agrees."""
    world.run("eu", "SADD", "cart", "u1", "u2")
    assert world.converge(10 * SECOND)
    world.run("eu", "SREM", "cart", "u1")
    assert world.converge(10 * SECOND)
    add_one(world.sites["eu"].replica.keyspace, b"cart", b"u1")
    world.run("eu", "SADD", "cart", "u3")
    finish(world)


def test_element_that_returns_is_caught() -> None:
    assert caught(a_ghost) == ["no resurrection"]


def test_message_names_element() -> None:
    with pytest.raises(Violation, match=r"b'u1' in b'cart' had been deleted in eu and is back"):
        a_ghost(fresh(ResurrectionChecker))


def test_names_that_are_used_again_are_no_business_of_it() -> None:
    world = fresh(ResurrectionChecker)
    for _ in range(2):
        world.run("eu", "SADD", "cart", "milk")
        world.run("eu", "SREM", "cart", "milk")
    finish(world)


def test_incarnation_without_memory_may_see_deleted_data() -> None:
    world = fresh(ResurrectionChecker)
    world.run("eu", "SADD", "cart", "u1")
    assert world.converge(10 * SECOND)
    for other in ("eu", "ap"):
        world.cut("us", other)
    world.run("us", "SREM", "cart", "u1")
    world.crash_process("us")
    for other in ("eu", "ap"):
        world.heal("us", other)
    world.restart_process("us")
    finish(world)
