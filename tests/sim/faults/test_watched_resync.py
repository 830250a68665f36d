"""Clients watch keys while a snapshot changes them."""

from __future__ import annotations

import pytest

from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.watched_resync import FIRST_SESSION, KEYS, WatchedResync
from sim.nodes.client import Reply
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import quartet

LASTS = 6 * SECOND


@pytest.fixture
def world() -> SimWorld:
    world = quartet()
    world.sleep(SECOND)
    return world


def apply(world: SimWorld) -> Injector:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "watched-resync", ("a",), LASTS))
    return injector


def replies_to_exec(world: SimWorld) -> dict[int, Reply]:
    """Return the end of each reply to EXEC, by the number of the key."""
    found: dict[int, Reply] = {}
    for record in world.trace.last_records(4000):
        if "; EXEC → OK QUEUED " in record:
            key = record.partition("EXISTS ")[2].partition(";")[0]
            found[int(key[-1])] = record.rpartition(" ")[2]
    return found


def test_transactions_fail_if_snapshot_has_changed_key(world: SimWorld) -> None:
    injector = apply(world)
    world.sleep(LASTS)
    assert injector.fired["watched-resync"] == 1
    assert world.sites["a"].replica.merges == 1
    assert replies_to_exec(world) == {**dict.fromkeys(range(KEYS - 1), "-"), KEYS - 1: "[1]"}
    assert {site.replica.history.limit for site in world.sites.values()} == {1 << 20}
    assert world.converge(10 * SECOND)
    world.check_end()


def test_region_that_is_down_is_left_alone(world: SimWorld) -> None:
    world.crash_process("a")
    assert apply(world).fired["watched-resync"] == 0


def test_crash_in_the_middle_ends_it(world: SimWorld) -> None:
    injector = apply(world)
    world.sleep(LASTS // 6)
    world.crash_process("a")
    world.sleep(LASTS)
    assert replies_to_exec(world) == {}
    assert injector.open == {}
    assert world.run("b", "GET", f"watched:{SECOND * 3 // 10**6}.0") == b"w"


def test_crash_before_cut_leaves_nothing_behind(world: SimWorld) -> None:
    apply(world)
    world.crash_process("a")
    world.sleep(2 * LASTS)
    assert not any(session >= FIRST_SESSION for session in world.sessions.by_number)
    world.restart_process("a")
    assert world.converge(10 * SECOND)


def test_end_before_cut_does_nothing_more(world: SimWorld) -> None:
    injector = apply(world)
    injector.end_all_faults()
    world.sleep(LASTS)
    assert world.sites["a"].replica.merges == 0
    assert world.converge(10 * SECOND)
    story = WatchedResync(world, "a", "k", is_over=True)
    story.poll_merge()
    story.end_fault()
    story.separate_region()
    assert not story.is_cut


def test_paused_peer_is_sent_no_commands(world: SimWorld) -> None:
    story = WatchedResync(world, "a", "k")
    world.sites["b"].pause_until(world.now + SECOND)
    story.run_all("b", (("SET", "0", "v"),))
    world.sleep(2 * SECOND)
    assert world.run("b", "EXISTS", "k.0") == 0
