"""Faults of a single process: crashes, restarts, and restarts with an older identity."""

from __future__ import annotations

import pytest

from crdt.causality.dots import incarnation_of, make_origin
from sim.engine.events import MS, SECOND
from sim.faults.kinds import Injector
from sim.faults.processes import FIRST_SESSION, FOR_GOOD, PromotedClients
from sim.nodes.client import Refusal
from sim.nodes.region import Start
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import NAMES, quartet, shut


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def test_last_one_that_is_up_is_spared(world: SimWorld) -> None:
    injector = Injector(world)
    for name in NAMES:
        injector.apply_step(ScheduleStep(world.now, "crash", (name,), SECOND))
    assert [site.name for site in world.live_regions()] == ["d"]
    assert injector.fired["crash"] == 3


def test_restart_keeps_what_crash_loses(world: SimWorld) -> None:
    world.run("a", "SET", "k", "v")
    world.run("b", "SET", "l", "w")
    for way in world.network:
        way.close_once()
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "restart", ("a",), 100 * MS))
    injector.apply_step(ScheduleStep(world.now, "crash-silent", ("b",), 100 * MS))
    world.sleep(200 * MS)
    assert world.run("a", "GET", "k") == b"v"
    assert world.run("b", "GET", "l") is None


def test_reused_origin_meets_its_own_dots(world: SimWorld) -> None:
    world.run("a", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    site = world.sites["a"]
    Injector(world).apply_step(ScheduleStep(world.now, "reuse", ("a",), 100 * MS))
    world.sleep(110 * MS)
    assert site.replica.origin == make_origin(1, 0)
    assert isinstance(world.run("a", "SET", "k", "w"), Refusal)
    world.sleep(2 * SECOND)
    assert world.events["OriginReused"] == 1
    assert incarnation_of(site.replica.origin) == site.directory.incarnation
    assert site.replica.origin != make_origin(1, 0)
    assert world.run("a", "SET", "k", "w") == "OK"
    assert world.converge(10 * SECOND)
    world.check_end()


def test_reused_origin_waits_for_peer_with_its_dots(
    world: SimWorld,
) -> None:
    for other in NAMES[1:]:
        world.cut("a", other)
    world.run("a", "SET", "k", "v")
    world.heal("a", "b")
    world.cut("b", "c")
    world.cut("b", "d")
    assert world.converge(10 * SECOND)
    world.crash_process("a")
    world.cut("a", "b")
    world.heal("a", "c")
    world.restart_process("a", start=Start.REUSED)
    assert not world.wait_for(lambda: world.sites["a"].has_caught_up, 60 * SECOND)
    world.heal("a", "b")
    world.heal("a", "d")
    assert world.wait_for(lambda: world.sites["a"].has_caught_up, 60 * SECOND)
    assert incarnation_of(world.sites["a"].replica.origin) == world.sites["a"].directory.incarnation
    assert world.sites["a"].replica.origin != make_origin(1, 0)
    assert world.run("a", "GET", "k") == b"v"


def test_unaware_region_writes_before_it_learns_of_its_past(
    world: SimWorld,
) -> None:
    world.run("a", "INCRBY", "n", "5")
    assert world.converge(10 * SECOND)
    site = world.sites["a"]
    Injector(world).apply_step(ScheduleStep(world.now, "unaware", ("a",), 100 * MS))
    world.sleep(101 * MS)
    assert world.run("a", "INCRBY", "n", "2") == 2
    assert world.wait_for(lambda: "EarlierIncarnation" in world.events, SECOND)
    assert isinstance(world.run("a", "INCRBY", "n", "2"), Refusal)
    world.sleep(2 * SECOND)
    assert site.has_caught_up
    assert world.run("b", "GET", "n") == b"7"
    assert world.converge(10 * SECOND)
    world.check_end()


def test_follower_loses_all_and_gets_it_again(world: SimWorld) -> None:
    world.run("a", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "follower-restart", ("f",), SECOND))
    assert not world.copies["f"].is_up
    injector.apply_step(ScheduleStep(world.now, "follower-restart", ("f",), SECOND))
    injector.apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND))
    assert (injector.fired["follower-restart"], injector.fired["promote"]) == (1, 0)
    world.sleep(2 * SECOND)
    assert world.run("f", "GET", "k") == b"v"


def test_promoted_follower_writes_until_it_follows(world: SimWorld) -> None:
    world.run_all("a", ("SET", "k", "v"), ("MSET", "d1", "v", "d2", "v", "d3", "v"))
    assert world.converge(10 * SECOND)
    Injector(world).apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND))
    assert world.run("f", "LRANGE", "own", "0", "-1") == [b"1"]
    assert world.run("f", "EXISTS", "d1", "d2", "d3") == 0
    assert world.run("f", "GET", "k") == b"v"
    world.run("a", "SET", "k", "w")
    world.sleep(SECOND - MS)
    assert world.run("f", "GET", "k") == b"v"
    world.sleep(2 * SECOND)
    assert world.run("f", "GET", "k") == b"w"
    assert world.run("f", "EXISTS", "own") == 0
    world.check_end()


@pytest.mark.parametrize(("keys", "watched"), [((), b"own"), (("k", "j"), b"j")])
def test_client_of_promoted_follower_watches_key_that_source_has(
    world: SimWorld, keys: tuple[str, ...], watched: bytes
) -> None:
    for key in keys:
        world.run("a", "SET", key, "v")
    assert world.converge(10 * SECOND)
    Injector(world).apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND))
    assert world.copies["f"].instance.keyspace.watched() == {watched, b"own", b"nothing"}
    assert world.run("f", "EXISTS", "j") == 0


def test_clients_of_promoted_follower_end_when_it_follows_again(world: SimWorld) -> None:
    copy, first = world.copies["f"], FIRST_SESSION
    world.run("a", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    Injector(world).apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND))
    sessions = world.sessions.by_number
    assert sessions[first + 1].waiting == ("BLPOP", "nothing", "0")
    for source in copy.sources:
        world.cut("f", source)
    world.sleep(2 * SECOND)
    assert sessions[first + 1].waiting is None
    reported = [record for record in world.trace.last_records(400) if "client" in record]
    assert any("EXEC → EXECABORT" in record for record in reported)
    assert copy.holds_old
    for source in copy.sources:
        world.heal("f", source)
    world.sleep(2 * SECOND)
    assert world.run("f", "EXISTS", "queued") == 0
    reported = [record for record in world.trace.last_records(400) if "client" in record]
    assert sum("MULTI; EXISTS k; EXEC → OK QUEUED -" in record for record in reported) == 1
    world.check_end()


def test_follower_that_is_promoted_for_good_does_not_follow_again(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND, FOR_GOOD))
    world.sleep(2 * SECOND)
    assert injector.fired["promote"] == 1
    injector.end_all_faults()
    assert not world.copies["f"].is_following


def test_clients_of_follower_that_is_down_do_nothing(world: SimWorld) -> None:
    clients = PromotedClients(world, world.copies["f"])
    world.crash_process("f")
    clients.execute_watching()
    assert world.sessions.by_number == {}


def test_crashed_promoted_follower_restarts_following(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "promote", ("f",), 2 * SECOND))
    injector.apply_step(ScheduleStep(world.now, "follower-restart", ("f",), SECOND))
    world.sleep(1900 * MS)
    copy = world.copies["f"]
    assert copy.is_following
    begun = copy.beginnings
    world.sleep(SECOND)
    assert copy.beginnings == begun


def test_follower_that_is_down_follows_when_it_starts(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "promote", ("f",), SECOND))
    injector.apply_step(ScheduleStep(world.now, "follower-restart", ("f",), 2 * SECOND))
    world.sleep(1500 * MS)
    assert not world.copies["f"].is_up
    world.sleep(SECOND)
    assert world.copies["f"].is_following


def test_last_writes_of_life_that_is_over_come_late(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "bereave", ("a", "b", "c", "d"), 16 * SECOND))
    world.sleep(1950 * MS)
    world.run("a", "SADD", "s", "m")
    assert shut(world) == {(x, y) for p in ("ac", "ad") for x, y in (p, p[::-1])}
    world.sleep(SECOND)
    assert not world.sites["a"].is_up
    assert shut(world) == {(x, y) for p in ("ba", "bc", "bd") for x, y in (p, p[::-1])}
    world.sleep(12 * SECOND)
    assert not world.sites["a"].has_caught_up, "b may have what it lacks"
    assert world.sites["b"].replica.vector != world.sites["c"].replica.vector
    world.sleep(2 * SECOND)
    assert shut(world) == set()
    assert world.converge(10 * SECOND)
    assert world.run("d", "SMEMBERS", "s") == [b"m"]
    assert injector.fired["bereave"] == 1
    world.check_end()


def test_story_that_ends_early_leaves_nothing_behind(world: SimWorld) -> None:
    injector = Injector(world)
    for early in (SECOND, 3 * SECOND):
        injector.apply_step(ScheduleStep(world.now, "bereave", ("a", "b", "c", "d"), 16 * SECOND))
        world.sleep(early)
        injector.end_all_faults()
        assert shut(world) == set()
        assert world.sites["a"].is_up
        world.sleep(17 * SECOND)
        assert shut(world) == set()


def test_last_writer_is_not_lost_if_down_or_one_of_two(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "bereave", ("a", "b"), 8 * SECOND))
    world.crash_process("a")
    injector.apply_step(ScheduleStep(world.now, "bereave", ("a", "b", "c", "d"), 8 * SECOND))
    assert injector.fired["bereave"] == 0
    injector.apply_step(ScheduleStep(world.now, "bereave", ("b", "a", "c", "d"), 16 * SECOND))
    world.sleep(SECOND)
    world.crash_process("b")
    world.sleep(2 * SECOND)
    assert shut(world) == {(x, y) for p in ("bc", "bd") for x, y in (p, p[::-1])}
    injector.end_all_faults()
    assert not world.sites["b"].is_up


def test_claims_at_all_regions_cost_nothing(world: SimWorld) -> None:
    for name in "abcd":
        world.run(name, "INCR", "n")
    assert world.converge(10 * SECOND)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "claim", ("a", "b", "c", "d"), 0, 5))
    world.sleep(18 * MS)
    assert [site.replica.keyspace.size() for site in world.live_regions()] == [0, 0, 0, 0]
    world.sleep(3 * SECOND)
    assert world.converge(10 * SECOND)
    assert [world.run(name, "GET", "n") for name in "abcd"] == [b"4"] * 4
    assert injector.fired["claim"] == 1
    world.check_end()


@pytest.mark.parametrize("value", [0, 1])
def test_region_that_restarts_alone_refuses_until_it_reaches_others(
    world: SimWorld, value: int
) -> None:
    world.run("a", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "alone", ("a",), 15 * SECOND, value))
    world.sleep(14 * SECOND)
    assert isinstance(world.run("a", "SET", "k", "w"), Refusal)
    injector.apply_step(ScheduleStep(world.now, "crash", ("b",), 10 * SECOND))
    world.sleep(5 * SECOND)
    assert world.run("a", "SET", "k", "w") == "OK"
    assert injector.fired["alone"] == 1


def test_last_region_does_not_restart_alone(world: SimWorld) -> None:
    for name in NAMES[1:]:
        world.crash_process(name)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "alone", ("a",), SECOND))
    assert injector.fired["alone"] == 0


@pytest.mark.parametrize("value", [0, 1], ids=["reads", "writes"])
def test_follower_keeps_data_of_emptied_source(world: SimWorld, value: int) -> None:
    world.run("a", "SET", "k", "v")
    assert world.converge(10 * SECOND)
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "emptied", ("f",), 4 * SECOND, value))
    world.sleep(3 * SECOND)
    assert world.run("a", "GET", "k") is None
    assert world.run("a", "DBSIZE") == value
    assert world.run("f", "GET", "k") == b"v"
    world.sleep(10 * SECOND)
    assert shut(world) == set()
    assert world.converge(10 * SECOND)
    assert world.run("a", "GET", "k") == b"v"
    world.check_end()


def test_emptied_source_may_die(world: SimWorld) -> None:
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, "emptied", ("f",), SECOND, 1))
    world.crash_process("a")
    injector.end_all_faults()
    world.sleep(SECOND)
    assert world.sites["a"].replica.keyspace.seq == 0
    injector.apply_step(ScheduleStep(world.now, "emptied", ("f",), SECOND))
    assert injector.fired["emptied"] == 1
