"""The checker of hidden state finds regions that will differ after the next write."""

from __future__ import annotations

import re

import pytest

from crdt.causality.schema import FOREVER
from crdt.types.components.contested import Contested
from crdt.types.components.register import Register
from sim.checkers.replicas.hidden import HiddenChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(HiddenChecker, copies=(Copy("copy", 255, ("eu",)), Copy("other", 1, ("us",))))


def write_apart(world: SimWorld, *commands: tuple[str, ...]) -> None:
    """Let eu, us and ap write concurrently, in this order, and let all arrive."""
    names = list(world.sites)
    pairs = [(a, b) for a in names for b in names if a < b]
    for pair in pairs:
        world.cut(*pair)
    for name, words in zip(names, commands, strict=False):
        world.run(name, *words)
        world.sleep(10 * MS)
    for pair in pairs:
        world.heal(*pair)
    assert world.converge(10 * SECOND)


def test_equal_hidden_state_passes(world: SimWorld) -> None:
    write_apart(world, ("SET", "k", "1"), ("SET", "k", "2"), ("PEXPIRE", "k", "90000"))
    write_apart(world, ("SADD", "t", "x"), ("HSET", "t", "f", "v"), ("RPUSH", "t", "y"))
    write_apart(world, ("SET", "soon", "1", "PX", "100"), ("SET", "later", "2", "PX", "90000"))
    finish(world)
    assert checker_of(world).looked > 10


def test_lost_mark_of_value_without_deadline_is_caught(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    value = world.sites["us"].replica.keyspace.data.get(b"k")
    assert isinstance(value, Register)
    value.no_expiry = False
    world.sites["us"].replica.keyspace.data.put(b"k", value)
    with pytest.raises(Violation, match=rf"under b'k' eu holds .*{FOREVER}.*, and us holds"):
        finish(world)


def test_follower_that_loses_concurrent_write_is_caught(world: SimWorld) -> None:
    write_apart(world, ("SET", "k", "1"), ("SET", "k", "2"))
    value = world.copies["copy"].replica.keyspace.data.get(b"k")
    assert isinstance(value, Register)
    value.sibling_writes = ()
    with pytest.raises(Violation, match=r"under b'k' eu holds .*, and copy holds"):
        finish(world)


def test_type_that_is_shown_too_long_is_caught(world: SimWorld) -> None:
    write_apart(world, ("SADD", "t", "x"), ("HSET", "t", "f", "v"))
    world.inspect_all()
    held = world.sites["ap"].replica.keyspace.data.get(b"t")
    assert isinstance(held, Contested)
    held.front = max(held.values(), key=lambda value: value.min_dot())
    text = "ap shows type 3 under b't', and the smallest origin has written type 2"
    with pytest.raises(Violation, match=re.escape(text)):
        world.inspect_all()


def test_key_that_has_expired_is_left_out(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v", "PX", "5000")
    assert world.converge(10 * SECOND)
    for site in world.sites.values():
        site.links.collects = False
    value = world.sites["us"].replica.keyspace.data.get(b"k")
    assert isinstance(value, Register)
    value.value = b"w"
    world.sleep(6 * SECOND)
    finish(world)


def test_regions_that_have_not_converged_are_left_to_others(world: SimWorld) -> None:
    world.cut("eu", "us")
    world.cut("eu", "ap")
    world.run("eu", "SET", "k", "v")
    world.check_end()
