"""The checker of recovery finds a region that serves clients before it has what its peers had."""

from __future__ import annotations

import pytest

from replication.protocol.events import Connected
from replication.protocol.peers import Direction
from sim.checkers.replicas.recovery import PROGRESS, RecoveryChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.world import SimWorld
from tests.sim.planted import NAMES, caught, checker_of, fresh


def restart_us(world: SimWorld) -> SimRegion:
    """Restart us. It is linked with eu, and finds out only seconds later that ap cannot answer."""
    world.run("ap", "SET", "k", "v")
    world.sleep(SECOND)
    world.crash_process("us")
    world.close_way("ap", "us")
    world.close_way("us", "ap")
    world.restart_process("us")
    return world.sites["us"]


def us_does_not_wait_for_ap(world: SimWorld) -> None:
    """us takes ap for unreachable, although no attempt to reach it has failed."""
    us = restart_us(world)
    us.links.recovery.missed.add("ap")
    world.sleep(10 * SECOND)


def test_region_that_does_not_wait_for_a_peer_is_caught() -> None:
    assert caught(us_does_not_wait_for_ap) == ["recovery"]
    world = fresh(RecoveryChecker)
    with pytest.raises(Violation, match=r"us ends .*, although ap may still answer"):
        us_does_not_wait_for_ap(world)


def test_region_that_waits_until_the_attempt_fails_is_accepted() -> None:
    world = fresh(RecoveryChecker)
    us = restart_us(world)
    assert not world.wait_for(lambda: us.has_caught_up, 4 * SECOND)
    assert world.wait_for(lambda: us.has_caught_up, 10 * SECOND)
    assert checker_of(world).looked == 1


def test_region_that_lacks_what_a_peer_has_answered_is_caught() -> None:
    world = fresh(RecoveryChecker)
    us = restart_us(world)
    world.sleep(500 * MS)
    checker = checker_of(world)
    assert isinstance(checker, RecoveryChecker)
    checker.on_unreachable(us, "ap")
    checker.answers["us"].vectors["eu"] = [{3 << 14: 2}]
    with pytest.raises(Violation, match="although eu has answered 3=2"):
        checker.on_recovered(us)


@pytest.mark.parametrize("is_healed", [False, True])
def test_peer_that_cannot_be_reached_is_excused_until_its_link_is_healed(
    *, is_healed: bool
) -> None:
    world = fresh(RecoveryChecker)
    us = restart_us(world)
    checker = checker_of(world)
    checker.on_unreachable(us, "ap")
    us.links.recovery.missed.add("ap")
    if not is_healed:
        assert world.wait_for(lambda: us.has_caught_up, SECOND)
        return
    world.cut_link("ap", "us")
    world.heal_link("ap", "us")
    us.links.recovery.missed.add("ap")
    with pytest.raises(Violation, match="although ap may still answer"):
        world.sleep(SECOND)


def test_peer_that_dials_us_is_expected() -> None:
    world = fresh(RecoveryChecker)
    us = restart_us(world)
    checker = checker_of(world)
    checker.on_unreachable(us, "ap")
    checker.on_link_event(us, Connected("ap", Direction.OUT, 3, 3 << 14))
    us.links.recovery.missed.add("ap")
    with pytest.raises(Violation, match="although ap may still answer"):
        world.sleep(SECOND)


def test_connection_that_has_ended_already_is_no_answer() -> None:
    world = fresh(RecoveryChecker)
    us, checker = world.sites["us"], checker_of(world)
    assert isinstance(checker, RecoveryChecker)
    assert checker.answers_of(us).connected == {"eu", "ap"}
    checker.answers_of(us).connected.clear()
    sinks = us.links.sinks
    sinks.pop("ap")
    for name, number in (("ap", 3), ("eu", 1)):
        checker.on_link_event(us, Connected(name, Direction.IN, number, number << 14))
    assert checker.answers_of(us).connected == {"eu"}


def test_region_that_reaches_nobody_is_caught() -> None:
    world = fresh(RecoveryChecker)
    world.run("us", "SET", "k", "v")
    us = world.sites["us"]
    kept = us.take_snapshot()
    world.crash_process("us")
    world.cut("us", "eu")
    world.cut("us", "ap")
    world.restart_process("us", kept)
    world.sleep(30 * SECOND)
    assert not us.has_caught_up
    us.links.recovery.done.add("eu")
    with pytest.raises(Violation, match="us ends its recovery without the data of any peer"):
        us.handle_events(us.links.tick(world.now))


def test_region_that_put_its_state_aside_needs_no_peer() -> None:
    world = fresh(RecoveryChecker)
    world.run("us", "SET", "k", "v")
    world.cut_link("eu", "us")
    world.cut_link("ap", "us")
    world.forge_hello("us", "eu")
    assert world.wait_for(lambda: checker_of(world).looked == 1, 10 * SECOND)


def test_stale_region_that_collects_is_caught() -> None:
    world = fresh(RecoveryChecker)
    us = restart_us(world)
    world.sleep(MS)
    us.state_hash.before_change(b"k")
    us.run_commands(("PING",))
    us.replica.garbage.collected += 1
    us.state_hash.before_change(b"k")
    with pytest.raises(Violation, match=r"us has not caught up .* and collects garbage"):
        us.run_commands(("PING",))


def test_client_that_waits_in_stale_region_is_caught() -> None:
    world = fresh(RecoveryChecker)
    us = world.sites["us"]
    assert world.run_session("us", 1, ("BLPOP", "k", "0")) == []
    us.instance.is_stale = True
    with pytest.raises(Violation, match="a client waits in us, which has not caught up"):
        us.run_commands(("PING",))


def test_follower_of_stale_region_is_caught() -> None:
    world = fresh(RecoveryChecker, copies=(Copy("f", 255, ("us",)),))
    world.sites["us"].instance.is_stale = True
    world.reset_connections("f", "us")
    with pytest.raises(Violation, match="us has not caught up with its peers and lets f follow"):
        world.sleep(5 * SECOND)


def restart_refusing(*, refuses: bool) -> SimRegion:
    """Restart us, which then knows what eu has, and gets it slowly."""
    tuning = Tuning(refuses_stale=refuses)
    world = SimWorld(Plan.of(NAMES, delay_ms=20, tuning=tuning), checkers=(RecoveryChecker,))
    assert world.converge(10 * SECOND)
    for number in range(50):
        world.run("eu", "SET", f"k{number}", "v" * 100)
    world.sleep(SECOND)
    world.crash_process("us")
    world.network.way("eu", "us").bandwidth = 3000
    world.network.way("ap", "us").bandwidth = 3000
    world.restart_process("us")
    world.sleep(SECOND)
    assert not world.sites["us"].has_caught_up
    return world.sites["us"]


def test_progress_of_stale_region() -> None:
    us = restart_refusing(refuses=True)
    checker = us.around.checkers[0]
    looked = checker.looked
    assert looked
    us.run_commands(("INFO", "persistence"))
    assert checker.looked == looked + 1
    info = b"loading:1\r\nloading_loaded_bytes:0\r\nloading_total_bytes:0\r\n"
    with pytest.raises(Violation, match="us says that it has loaded 0 of 0 effects, and has "):
        checker.on_replies(us, 1, (PROGRESS,), (info,))


def test_region_that_serves_stale_data_reports_no_progress() -> None:
    us = restart_refusing(refuses=False)
    us.run_commands(("INFO", "persistence"))
    assert us.around.checkers[0].looked == 0
