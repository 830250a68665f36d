"""Large values on slow ways, and the snapshot of a follower between writes and their removal."""

from __future__ import annotations

from typing import cast

import attrs
import pytest

from replication.protocol.limits import Limits
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.transfers import FollowerResync
from sim.schedule.plan import Plan, Tuning
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import quartet


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def do(world: SimWorld, kind: str, *names: str, value: int = 0) -> Injector:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, kind, names, 4 * SECOND, value))
    return injector


def length(world: SimWorld, region: str) -> int:
    """Return the number of bytes of the large value in a region."""
    reply = world.run(region, "STRLEN", "bulk:a")
    assert isinstance(reply, int)
    return reply


def test_large_value_takes_as_long_as_fault(world: SimWorld) -> None:
    injector = do(world, "bulk", "a", "b", value=4_000)
    assert injector.fired["bulk"] == 1
    source = world.sites["a"].links.sources["b"]
    world.sleep(2 * SECOND)
    assert length(world, "a") == 16_000
    assert 8_000 < source.in_flight < 20_000
    world.sleep(3 * SECOND)
    assert [length(world, name) for name in "abcd"] == [30_000] * 4
    assert not any(way.bandwidth for way in world.network)
    world.check_end()


def test_slow_way_is_left_alone(world: SimWorld) -> None:
    world.network.way("a", "b").bandwidth = 500
    assert do(world, "bulk", "a", "b", value=4_000).fired["bulk"] == 0
    assert length(world, "a") == 0


def test_region_that_is_down_writes_nothing(world: SimWorld) -> None:
    injector = do(world, "bulk", "a", "b", value=4_000)
    world.crash_process("a")
    world.sleep(5 * SECOND)
    assert injector.open == {}
    assert do(world, "bulk", "a", "b", value=4_000).fired["bulk"] == 0


def test_large_value_needs_few_windows() -> None:
    limits = Limits(window_bytes_max=400, batch_bytes_max=300)
    world = SimWorld(attrs.evolve(Plan.of(["a", "b"]), tuning=Tuning(limits=limits)))
    world.sleep(SECOND)
    do(world, "bulk", "a", "b", value=4_000)
    assert length(world, "a") == 40 * 300


def members(world: SimWorld, name: str) -> list[bytes]:
    """Return the members of the set of which one is removed."""
    db = world.places[name].replica.keyspace
    (key,) = [key for key in db.held_keys() if key.startswith(b"resync:") and key.endswith(b".0")]
    value = db.lookup(key)
    assert value is not None
    return sorted(cast("set[bytes]", value.visible()))


def test_follower_loads_snapshot_between_write_and_removal(world: SimWorld) -> None:
    copy = world.copies["f"]
    injector = do(world, "follower-resync", "f")
    assert injector.fired["follower-resync"] == 1
    assert members(world, "d") == [b"a", b"b"]
    world.sleep(3 * SECOND)
    assert copy.starts == 2
    assert copy.snapshots == 1
    assert members(world, "a") == [b"b", b"c"]
    assert members(world, "d") == [b"a", b"b"]
    world.sleep(2 * SECOND)
    assert injector.open == {}
    assert all(way.is_open for way in world.network)
    assert world.converge(10 * SECOND)
    assert members(world, "f") == members(world, "d") == [b"b", b"c"]
    world.check_end()


def test_follower_whose_source_is_down_is_left_alone(world: SimWorld) -> None:
    world.crash_process("a")
    assert do(world, "follower-resync", "f").fired["follower-resync"] == 0


def test_follower_that_is_promoted_meanwhile_is_left_alone(world: SimWorld) -> None:
    injector = do(world, "follower-resync", "f")
    world.copies["f"].stop_following()
    world.sleep(5 * SECOND)
    assert injector.open == {}
    assert world.copies["f"].starts == 1
    assert all(way.is_open for way in world.network)


def test_writer_that_is_down_writes_nothing(world: SimWorld) -> None:
    story = FollowerResync(world, "f", "a", "d", "resync:1")
    story.run_all("d", (("SADD", "0", "x"),))
    assert members(world, "d") == [b"x"]
    writes = world.sites["d"].writes
    world.crash_process("d")
    story.run_all("d", (("SADD", "0", "y"),))
    assert world.sites["d"].writes == writes


def test_resync_that_ends_early_cuts_nobody(world: SimWorld) -> None:
    injector = do(world, "follower-resync", "f")
    injector.end_all_faults()
    world.sleep(5 * SECOND)
    assert all(way.is_open for way in world.network)
    assert world.copies["f"].starts == 1


def test_removal_is_given_up_with_fault(world: SimWorld) -> None:
    injector = do(world, "follower-resync", "f")
    world.sleep(2 * SECOND)
    injector.end_all_faults()
    world.sleep(5 * SECOND)
    assert world.copies["f"].starts == 2
    assert members(world, "a") == [b"a", b"b", b"c"]
