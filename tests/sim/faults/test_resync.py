"""A full resync during which one end crashes."""

from __future__ import annotations

import pytest

from replication.machines.receiving.sink_states import SinkState
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.faults.resync import LostSnapshotPeer, lose_snapshot_peer, tear_resync
from sim.schedule.plan import Plan
from sim.schedule.step import ScheduleStep
from sim.world.coverage_probes import coverage_counts
from sim.world.world import SimWorld
from tests.sim.quartet import quartet


def torn(world: SimWorld, value: int, lasts: int = 10 * SECOND) -> Injector:
    injector = Injector(world)
    for number in range(30):
        world.run("b", "SET", f"k{number}", "v" * 400)
        world.run("c", "SET", f"l{number}", "v" * 400)
    assert world.converge(10 * SECOND)
    injector.apply_step(ScheduleStep(world.now, "torn-resync", ("a",), lasts, value))
    return injector


@pytest.mark.parametrize(("value", "dead"), [(0, "receiver"), (1, "snapshot peer")])
def test_one_of_two_dies_in_middle(value: int, dead: str) -> None:
    world = quartet()
    injector = torn(world, value)
    world.sleep(10 * SECOND)
    seen = coverage_counts(world)
    assert seen[f"crash of {dead} in a full resync"] == 1
    lives = sorted(site.starts for site in world.sites.values())
    assert lives == ([1, 1, 1, 3] if dead == "receiver" else [1, 1, 2, 2])
    assert injector.open == {}
    assert not any(way.bandwidth for way in world.network)
    sites = world.sites.values()
    assert {site.replica.history.limit for site in sites} == {
        site.tuning.history_bytes for site in sites
    }
    assert world.converge(30 * SECOND)
    world.check_end()


def test_last_snapshot_peer_is_spared() -> None:
    world = SimWorld(Plan.of(["a", "b", "c"], delay_ms=20))
    world.sleep(SECOND)
    world.crash_process("c")
    world.cut("a", "c")
    world.cut("b", "c")
    for number in range(30):
        world.run("b", "SET", f"k{number}", "v" * 400)
    Injector(world).apply_step(ScheduleStep(world.now, "torn-resync", ("a",), 10 * SECOND, 1))
    world.sleep(12 * SECOND)
    assert world.probes == {"crash of receiver in a full resync": 1}
    assert world.run("b", "GET", "k3") is not None


def test_story_that_ends_early_leaves_nothing_behind() -> None:
    world = quartet()
    injector = torn(world, 0)
    injector.end_all_faults()
    world.sleep(SECOND)
    assert world.sites["a"].is_up
    assert world.sites["a"].starts == 2
    assert not any(way.bandwidth for way in world.network)


def test_region_that_is_down_is_spared() -> None:
    world = quartet()
    world.crash_process("a")
    assert tear_resync(world, ScheduleStep(world.now, "torn-resync", ("a",))) == (False, None)


def test_way_that_is_narrow_already_stays_as_it_is() -> None:
    world = quartet()
    world.network.way("b", "a").bandwidth = 777
    done, end = tear_resync(world, ScheduleStep(world.now, "torn-resync", ("a",)))
    assert done
    assert end is not None
    widths = {way.source: way.bandwidth for way in world.network if way.sink == "a"}
    assert (widths["b"], widths["c"]) == (777, 2_000)
    world.restart_process("a")  # restarted by somebody else
    life = world.sites["a"].starts
    end()
    assert world.sites["a"].starts == life
    widths = {way.source: way.bandwidth for way in world.network if way.sink == "a"}
    assert (widths["b"], widths["c"]) == (777, 0)


def test_all_peers_need_snapshot_at_same_moment() -> None:
    world = quartet()
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "crowd", ("a",), SECOND))
    for number in range(10):
        world.run("a", "SET", f"k{number}", "v")
    before = world.events.get("SnapshotWanted", 0)
    world.sleep(3 * SECOND)
    assert world.events["SnapshotWanted"] >= before + 3
    site = world.sites["a"]
    assert site.replica.history.limit == site.tuning.history_bytes
    assert injector.open == {}
    assert world.converge(10 * SECOND)
    world.check_end()


def test_region_that_is_down_starves_nobody() -> None:
    world = quartet()
    world.crash_process("a")
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "crowd", ("a",), SECOND))
    assert injector.fired["crowd"] == 0
    world.restart_process("a")
    assert world.converge(10 * SECOND)


@pytest.mark.parametrize("value", [0, 1], ids=["cut", "crash"])
def test_snapshot_peer_goes_away_while_links_wait(value: int) -> None:
    world = quartet()
    for number in range(30):
        world.run("b", "SET", f"k{number}", "v" * 400)
    assert world.converge(10 * SECOND)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "lost-donor", ("a",), 4 * SECOND, value))
    world.sleep(3 * SECOND)
    lost = [site.name for site in world.sites.values() if not site.is_up]
    closed = [way.source for way in world.network if way.sink == "a" and not way.is_open]
    assert len(lost) == value
    assert len(closed) == 1 - value
    world.sleep(2 * SECOND)
    assert injector.open == {}
    assert not any(way.bandwidth for way in world.network)
    assert world.converge(10 * SECOND)
    assert coverage_counts(world)["crash of snapshot peer in a full resync"] == value


@pytest.mark.parametrize("name", ["paused", "down"])
def test_snapshot_peer_stays_if_region_is_away(name: str) -> None:
    world = quartet()
    if name == "down":
        world.crash_process("a")
    else:
        world.sites["a"].pause_until(world.now + SECOND)
    assert lose_snapshot_peer(world, ScheduleStep(world.now, "lost-donor", ("a",), SECOND)) == (
        False,
        None,
    )


def waiting_story(world: SimWorld, *, crashes: bool) -> LostSnapshotPeer:
    """Return a story whose receiver has a snapshot peer, and another link that waits."""
    story = LostSnapshotPeer(world, "a", crashes)
    site = world.sites["a"]
    for name, state in (("b", SinkState.LOADING), ("c", SinkState.WAITING)):
        site.links.sinks[name].state = state
    assert site.snapshot_peers == ["b"]
    return story


def test_paused_peer_of_separated_region_writes_nothing() -> None:
    world = quartet()
    world.sites["c"].pause_until(world.now + SECOND)
    before = {name: site.writes for name, site in world.sites.items()}
    story = LostSnapshotPeer(world, "a", crashes=False)
    story.separate_receiver()
    after = {name: site.writes for name, site in world.sites.items()}
    assert {name for name in after if after[name] > before[name]} == {"b", "d"}


def test_snapshot_peer_stays_after_end_of_fault() -> None:
    world = quartet()
    story = waiting_story(world, crashes=False)
    story.end_fault()
    story.poll_waiting()
    assert story.snapshot_peer == ""
    assert all(way.is_open for way in world.network)


def test_snapshot_peer_with_the_last_memory_stays() -> None:
    world = quartet()
    for name in ("c", "d"):
        world.crash_process(name)
    story = waiting_story(world, crashes=True)
    world.sites["a"].instance.is_stale = True
    assert not world.sites["a"].has_caught_up
    story.poll_waiting()
    assert world.sites["b"].is_up
    assert story.snapshot_peer == ""


def test_snapshot_peer_that_others_restart_is_not_restarted_again() -> None:
    world = quartet()
    story = waiting_story(world, crashes=True)
    story.poll_waiting()
    peer = world.sites["b"]
    assert not peer.is_up
    world.restart_process("b")
    starts = peer.starts
    story.end_fault()
    assert peer.starts == starts
