"""The simulated world: time, cuts and crashes."""

from __future__ import annotations

import attrs
import pytest

from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy, Plan
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    made = SimWorld(Plan.of(["eu", "us", "ap"], delay_ms=20))
    made.sleep(2 * SECOND)
    return made


def values(world: SimWorld, key: str) -> list[object]:
    return [world.run(region, "GET", key) for region in ("eu", "us", "ap")]


def test_write_arrives_after_delay_of_way(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v")
    assert values(world, "k") == [b"v", None, None]
    world.sleep(19 * MS)
    assert values(world, "k") == [b"v", None, None]
    assert world.wait_for(lambda: values(world, "k") == [b"v"] * 3, 20 * MS)


def test_waiting_ends_at_its_limit(world: SimWorld) -> None:
    before = world.now
    assert not world.wait_for(lambda: False, 5 * MS)
    assert world.now == before + 5 * MS


def test_cut_keeps_pair_apart_and_third_region_repairs_gap(world: SimWorld) -> None:
    world.cut_link("eu", "us")
    world.cut_link("us", "eu")
    world.run("eu", "SET", "k", "v")
    world.sleep(50 * MS)
    assert world.run("ap", "GET", "k") == b"v"
    world.run("ap", "SET", "after", "k")
    assert world.wait_for(lambda: world.run("us", "GET", "after") == b"k", 5 * SECOND)
    assert world.run("us", "GET", "k") == b"v", "what was seen before it has come before it"


def test_closed_network_heals_and_all_agree(world: SimWorld) -> None:
    world.cut("eu", "us")
    world.cut("eu", "ap")
    world.run("eu", "INCRBY", "n", "7")
    world.run("us", "INCRBY", "n", "3")
    assert not world.has_converged()
    world.heal("eu", "us")
    world.heal("eu", "ap")
    assert world.converge(60 * SECOND)
    assert values(world, "n") == [b"10"] * 3
    world.sleep(2 * SECOND)
    world.check_end()


def test_crash_loses_only_unshared_writes(world: SimWorld) -> None:
    world.run("eu", "SET", "kept", "1")
    assert world.converge(SECOND)
    world.crash_process("eu")
    assert [site.name for site in world.live_regions()] == ["us", "ap"]
    world.restart_process("eu")
    assert world.converge(60 * SECOND)
    assert values(world, "kept") == [b"1"] * 3


@pytest.mark.parametrize("topology", ["mesh", "star", "ring", "line"])
def test_reset_data_is_forgotten_despite_memory_loss(topology: str) -> None:
    world = SimWorld(Plan.of(["eu", "us", "ap"], topology=topology, delay_ms=20))
    world.sleep(2 * SECOND)
    world.run("eu", "INCRBY", "n", "5")
    assert world.converge(10 * SECOND)
    for region in ("eu", "ap"):
        world.crash_process(region)
        world.sleep(SECOND)
        world.restart_process(region)
        assert world.converge(60 * SECOND)
    world.run("us", "DEL", "n")
    assert world.converge(10 * SECOND)
    assert {key for site in world.live_regions() for key in site.replica.keyspace.garbage} == {b"n"}
    assert world.wait_for(
        lambda: not any(site.replica.keyspace.garbage for site in world.live_regions()), 30 * SECOND
    )
    (view,) = {site.links.membership.view for site in world.live_regions()}
    assert [epoch for _, epoch, _ in view] == [1, 0, 1]


def test_one_seed_is_one_history() -> None:
    def history(seed: int) -> str:
        world = SimWorld(Plan.of(["eu", "us"], delay_ms=20), seed)
        world.run("eu", "SET", "k", "v")
        world.sleep(SECOND)
        return "\n".join(world.trace.last_records(1_000))

    assert history(1) == history(1)


def test_unlinked_regions_can_be_cut_and_healed() -> None:
    world = SimWorld(Plan.of(["eu", "us", "ap"], topology="line", delay_ms=20))
    world.cut("eu", "ap")
    world.run("eu", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    world.heal("eu", "ap")
    assert values(world, "k") == [b"v"] * 3


def test_region_that_is_down_meets_no_forger(world: SimWorld) -> None:
    world.crash_process("eu")
    before = len(world.sites["eu"].wires)
    world.forge_hello("eu", "us")
    assert len(world.sites["eu"].wires) == before


def test_source_is_reachable_while_both_ways_are_open() -> None:
    plan = Plan.of(["eu", "us"], delay_ms=20)
    world = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("eu", "us")),)))
    copy = world.copies["f"]
    world.close_way("f", "us")
    assert [name for name, _ in world.reachable_sources(copy)] == ["eu"]
    world.close_way("eu", "f")
    assert list(world.reachable_sources(copy)) == []
