"""A simulated region: its incarnations, its pauses, and its reports."""

from __future__ import annotations

import pytest

from crdb.region.core.recovery import RegionRecovery
from crdb.region.core.staleness import STALE
from crdt.causality.dots import make_origin
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal
from sim.nodes.region import STARTS_MAX, Start
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    """Return two regions that are connected and have written a key each."""
    made = SimWorld(Plan.of(["eu", "us"], delay_ms=20))
    made.sleep(2 * SECOND)
    made.run("eu", "SET", "a", "1")
    made.run("us", "SET", "b", "2")
    assert made.converge(SECOND)
    return made


def reported(world: SimWorld, region: str, what: str) -> int:
    """Return the number of such trace records of a region."""
    return sum(line.split()[1:3] == [region, what] for line in world.trace.last_records(10_000))


def test_origin_counts_incarnations(world: SimWorld) -> None:
    site = world.sites["eu"]
    assert (site.starts, site.replica.origin) == (1, make_origin(1, 0))
    world.crash_process("eu")
    world.restart_process("eu")
    assert (site.starts, site.replica.origin) == (2, make_origin(1, 1))


def test_restarted_region_refuses_writes_until_caught_up(world: SimWorld) -> None:
    site = world.sites["eu"]
    world.crash_process("eu")
    world.restart_process("eu")
    assert not site.has_caught_up
    refused = world.run("eu", "SET", "a", "3")
    assert isinstance(refused, Refusal)
    assert refused.text == STALE.decode()
    assert world.run("eu", "GET", "a") is None
    world.sleep(SECOND)
    assert site.has_caught_up
    assert reported(world, "eu", "caught") == 1
    assert world.run("eu", "GET", "a") == b"1"
    assert world.run("eu", "SET", "a", "3") == "OK"


def test_restart_may_begin_with_kept_snapshot(world: SimWorld) -> None:
    kept = world.sites["eu"].take_snapshot()
    world.crash_process("eu")
    world.crash_process("us")
    world.restart_process("eu", kept)
    assert world.run("eu", "GET", "b") == b"2"


def test_peers_learn_of_crash_unless_it_is_silent(world: SimWorld) -> None:
    us = world.sites["us"]
    world.crash_process("eu", is_silent=True)
    world.sleep(SECOND)
    assert us.connectors["eu"].wire is not None
    world.sleep(us.tuning.limits.silence_ns_max + SECOND)
    assert us.connectors["eu"].wire is None
    world.restart_process("eu")
    world.sleep(10 * SECOND)
    assert us.connectors["eu"].wire is not None
    world.crash_process("eu")
    world.sleep(SECOND)
    assert us.connectors["eu"].wire is None


def test_paused_region_takes_in_everything_afterwards(world: SimWorld) -> None:
    eu = world.sites["eu"]
    eu.pause_until(world.now + SECOND)
    world.run("us", "SET", "c", "3")
    world.sleep(SECOND - MS)
    assert eu.is_paused
    assert eu.replica.keyspace.lookup(b"c") is None
    world.sleep(2 * MS)
    assert not eu.is_paused
    assert world.run("eu", "GET", "c") == b"3"


def test_of_two_pauses_longer_one_counts(world: SimWorld) -> None:
    eu = world.sites["eu"]
    eu.pause_until(world.now + 2 * SECOND)
    eu.pause_until(world.now + SECOND)
    world.reset_connections("eu", "us")
    world.sleep(2 * SECOND - MS)
    assert eu.is_paused
    assert eu.kept_back
    world.sleep(2 * MS)
    assert not eu.is_paused
    assert not eu.kept_back


def test_crash_ends_pause_and_drops_delayed_data(world: SimWorld) -> None:
    eu = world.sites["eu"]
    eu.pause_until(world.now + 9 * SECOND)
    world.run("us", "SET", "c", "3")
    world.sleep(SECOND)
    assert eu.kept_back
    world.crash_process("eu")
    assert (eu.is_paused, eu.kept_back, eu.wires) == (False, [], [])


def test_cut_by_command_outlives_restart(world: SimWorld) -> None:
    world.cut_link("us", "eu")
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(5 * SECOND)
    assert world.sites["eu"].is_cut("us")
    assert world.run("eu", "GET", "b") is None


def test_client_that_waits_is_served_by_write_from_afar(world: SimWorld) -> None:
    sim_client = world.sites["eu"].sim_client
    assert world.run("eu", "BLPOP", "q", "0") is None
    world.run("us", "RPUSH", "q", "x")
    assert world.converge(SECOND)
    assert sim_client.late == b"*2\r\n$1\r\nq\r\n$1\r\nx\r\n"
    assert world.converge(SECOND)
    assert world.run("us", "LLEN", "q") == 0


def test_client_does_not_wait_for_ever(world: SimWorld) -> None:
    sim_client = world.sites["eu"].sim_client
    assert world.run("eu", "BLPOP", "q", "1.5") is None
    world.sleep(SECOND)
    assert sim_client.late == b""
    world.sleep(5 * SECOND)
    assert sim_client.late == b"*-1\r\n"


def test_writes_of_one_turn_are_one_op(world: SimWorld) -> None:
    site = world.sites["eu"]
    before = site.writes
    world.run_all("eu", ("SET", "x", "1"), ("SADD", "y", "a", "b"))
    assert site.writes == before + 1
    entry = world.run_history.in_order[-1]
    assert entry.origin == site.replica.origin
    assert entry.last > entry.first


def test_damaged_bytes_end_connection_and_it_is_made_again(world: SimWorld) -> None:
    eu = world.sites["eu"]
    first = eu.connectors["us"].wire
    assert first is not None
    world.network.way("us", "eu").tally.flipped += 1
    eu.receive_bytes(first, b"\xff" * 64)
    assert eu.damaged == 1
    assert first.over
    eu.receive_bytes(first, b"\xff" * 64)
    assert eu.damaged == 1
    world.sleep(SECOND)
    assert eu.connectors["us"].wire not in {None, first}


def test_region_has_tuning_of_plan() -> None:
    tuning = Tuning(history_bytes=400, waiting_bytes=300)
    replica = SimWorld(Plan.of(["eu", "us"], tuning=tuning)).sites["eu"].replica
    assert (replica.history.limit, replica.causal_buffer.limit) == (400, 300)


def test_restart_of_live_region_is_refused(world: SimWorld) -> None:
    with pytest.raises(AssertionError):
        world.restart_process("eu")
    world.crash_process("eu")
    with pytest.raises(AssertionError):
        world.crash_process("eu")
    world.sites["eu"].starts = STARTS_MAX
    with pytest.raises(AssertionError):
        world.restart_process("eu")


def test_restart_ends_pause(world: SimWorld) -> None:
    eu = world.sites["eu"]
    eu.pause_until(world.now + SECOND)
    world.crash_process("eu")
    world.sleep(2 * SECOND)
    assert not eu.is_up
    world.restart_process("eu")
    world.sleep(2 * SECOND)
    assert world.run("eu", "GET", "b") == b"2"


def test_dial_at_start_keeps_deadlines(world: SimWorld) -> None:
    world.crash_process("eu")
    world.restart_process("eu")
    eu = world.sites["eu"]
    appointment = eu.timer_at
    eu.accept_connection()
    assert eu.timer_at == appointment
    world.sleep(2 * SECOND)
    assert world.run("eu", "GET", "b") == b"2"


def lose_a_write(world: SimWorld) -> None:
    """Let eu crash and lose a write that it has not sent. An earlier write is not lost."""
    world.run("eu", "SET", "c", "1")
    world.sleep(SECOND)
    world.cut("eu", "us")
    world.run("eu", "SET", "c", "2")
    world.crash_process("eu")
    world.heal("eu", "us")
    world.restart_process("eu")
    world.sleep(10 * SECOND)


def test_lost_effects_are_reported(world: SimWorld) -> None:
    lose_a_write(world)
    site = world.sites["eu"]
    assert site.has_caught_up
    assert site.reported_lost == 1


def test_loss_is_reported_after_second_crash(world: SimWorld) -> None:
    """A region that stops before it has what its peers have still knows what it had held."""
    world.run("eu", "SET", "c", "1")
    world.sleep(SECOND)
    world.cut("eu", "us")
    world.run("eu", "SET", "c", "2")
    world.crash_process("eu")
    for _ in range(2):
        world.restart_process("eu")
        world.sleep(SECOND)
        world.crash_process("eu")
    world.heal("eu", "us")
    world.restart_process("eu")
    world.sleep(10 * SECOND)
    assert world.sites["eu"].reported_lost == 1


def test_region_that_forgets_what_it_held_is_noticed(world: SimWorld) -> None:
    world.run("eu", "SET", "c", "1")
    world.cut("eu", "us")
    world.crash_process("eu")
    world.sites["eu"].directory.held = {}
    world.heal("eu", "us")
    world.restart_process("eu")
    with pytest.raises(Violation, match="eu lacks 1 effects that it had, and says 0"):
        world.sleep(10 * SECOND)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_loss_that_is_not_reported_is_noticed(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(self: RegionRecovery, reason: str) -> None:
        self.begin(reason, {})

    monkeypatch.setattr(RegionRecovery, "begin_again", forget)
    with pytest.raises(Violation, match="eu lacks 1 effects that it had, and says 0"):
        lose_a_write(world)


def test_large_operation_is_recorded_and_sent_in_parts() -> None:
    plan = Plan.of(("eu", "us"), delay_ms=20, tuning=Tuning(op_bytes=60))
    world = SimWorld(plan)
    assert world.converge(10 * SECOND)
    commands = [("SADD", f"s{index}", "x" * 30) for index in range(4)]
    world.run_all("eu", ("MULTI",), *commands, ("EXEC",))
    site = world.sites["eu"]
    assert (site.divided, site.writes) == (1, 4)
    assert [(entry.first, entry.last) for entry in world.run_history.in_order] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]
    assert world.converge(10 * SECOND)
    world.sleep(SECOND)
    world.check_end()
    assert world.run("us", "SCARD", "s3") == 1


def test_writes_gather_in_one_op_for_a_millisecond(world: SimWorld) -> None:
    eu = world.sites["eu"]
    writes = eu.writes
    for member in ("1", "2", "3"):
        world.run("eu", "SADD", "s", member)
    assert (eu.writes - writes, eu.replica.keyspace.pending_count()) == (1, 2)
    world.sleep(MS - 1)
    assert eu.writes - writes == 1
    world.sleep(2)
    assert (eu.writes - writes, eu.replica.keyspace.pending_count()) == (2, 0)
    assert world.converge(SECOND)
    assert world.run("us", "SCARD", "s") == 3
    world.check_end()


def test_writes_that_crash_before_they_are_sealed_are_lost_alone(world: SimWorld) -> None:
    """At the crash, "1" has arrived, "2" is in transit, and "3" is not sealed."""
    world.run("eu", "SADD", "s", "1")
    world.sleep(100 * MS)
    for member in ("2", "3"):
        world.run("eu", "SADD", "s", member)
    world.crash_process("eu")
    world.sleep(SECOND)
    world.restart_process("eu", start=Start.REUSED)
    assert world.converge(10 * SECOND)
    assert world.run("eu", "SMEMBERS", "s") == world.run("us", "SMEMBERS", "s") == [b"1"]
    world.sleep(10 * SECOND)
    assert world.run("eu", "SADD", "s", "3") == 1
    assert world.converge(10 * SECOND)
    world.check_end()


def test_region_that_would_reuse_dots_takes_another_incarnation(world: SimWorld) -> None:
    """us has no effect of this incarnation, so eu does not learn that us has used it before."""
    world.crash_process("eu")
    world.restart_process("eu")
    world.sleep(2 * SECOND)
    world.cut("eu", "us")
    eu = world.sites["eu"]
    used = eu.replica.origin
    assert world.run("eu", "SET", "k", "1") == "OK"
    world.sleep(10 * MS)
    world.crash_process("eu")
    world.restart_process("eu", start=Start.REUSED)
    assert eu.replica.origin == used
    world.heal("eu", "us")
    world.sleep(2 * SECOND)
    assert eu.replica.origin != used
    assert world.run("eu", "SET", "k", "2") == "OK"
    assert world.converge(10 * SECOND)
    world.check_end()


def test_drawn_incarnation_is_unused(world: SimWorld) -> None:
    """A region that knows no incarnation of its own draws another number if the first one was used
    before."""
    eu = world.sites["eu"]
    bits = eu.incarnation_rng.generator.getstate()
    numbers = [eu.draw_incarnation() for _ in range(3)]
    eu.incarnation_rng.generator.setstate(bits)
    eu.incarnations.update(numbers[:2])
    world.crash_process("eu")
    world.restart_process("eu", start=Start.UNAWARE)
    assert eu.replica.origin == make_origin(eu.number, numbers[2])


def reused(disk_ns: int) -> SimWorld:
    """Return a world in which us learns that its origin was used before."""
    plan = Plan.of(["eu", "us"], delay_ms=20, tuning=Tuning(disk_ns=disk_ns))
    world = SimWorld(plan)
    world.sleep(SECOND)
    world.run("us", "SET", "k", "v")
    world.forge_hello("us", "eu")
    return world


def test_region_does_not_serve_before_its_incarnation_is_on_disk() -> None:
    world = reused(3 * SECOND)
    us = world.sites["us"]
    world.sleep(2 * SECOND)
    assert us.links.recovery.is_over
    assert not us.has_caught_up
    assert not us.is_on_disk
    us.pause_until(world.now + 2 * SECOND)
    world.sleep(1500 * MS)
    assert not us.is_on_disk
    world.sleep(SECOND)
    assert us.has_caught_up
    assert world.run("us", "SET", "k", "w") == "OK"


def test_incarnation_may_be_on_disk_before_peers_have_answered() -> None:
    world = reused(5 * MS)
    us = world.sites["us"]
    assert world.wait_for(lambda: not us.is_on_disk, SECOND)
    world.sleep(6 * MS)
    assert us.is_on_disk
    assert not us.has_caught_up
    world.sleep(SECOND)
    assert us.has_caught_up


def test_crash_before_the_disk_has_written_keeps_the_old_number() -> None:
    world = reused(3 * SECOND)
    us = world.sites["us"]
    before = us.directory.incarnation
    world.sleep(SECOND)
    world.crash_process("us")
    world.sleep(3 * SECOND)
    assert us.directory.incarnation == before
    world.restart_process("us")
    assert world.wait_for(lambda: us.has_caught_up, 10 * SECOND)
    assert world.run("us", "SET", "k", "w") == "OK"
    assert world.converge(10 * SECOND)
