"""The common behaviour of simulated processes."""

from __future__ import annotations

from functools import partial

import pytest

from replication.mesh.links import Links
from replication.protocol.events import Event
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.process import SimProcess
from sim.world.world import SimWorld


def test_due_work_is_not_put_off(world: SimWorld) -> None:
    """Shortly before its timer is due, the region schedules a later call."""
    eu, due = world.sites["eu"], world.now + 1
    world.engine.at(due, lambda: eu.arm_timer(due + 600 * SECOND))
    eu.arm_timer(due)
    world.sleep(SECOND)
    assert eu.timer_at <= world.now + SECOND


def test_links_overdue_after_pause_are_served(world: SimWorld) -> None:
    """A call that waits for the end of the pause once armed the timer for its client only."""
    eu = world.sites["eu"]
    world.run_session("eu", 1, ("BLPOP", "q", "30"))
    eu.pause_until(world.now + SECOND)
    world.sleep(SECOND + 2)
    assert eu.links.next_deadline > world.now


def test_restarted_region_drops_old_timers(world: SimWorld) -> None:
    eu, due = world.sites["eu"], world.now + 1
    eu.arm_timer(due)
    world.engine.at(due, lambda: world.restart_process("eu"))
    world.crash_process("eu")
    world.sleep(SECOND)
    assert due < world.now <= eu.timer_at <= world.now + SECOND


def test_set_clock_is_counted_and_drift_is_not(world: SimWorld) -> None:
    site = world.sites["eu"]
    world.sleep(SECOND)
    site.clock.step_by(3_000)
    world.sleep(SECOND)
    site.clock.step_by(-900)
    world.sleep(SECOND)
    site.clock.set_drift(300_000, world.now)
    world.sleep(10 * SECOND)
    assert site.clock_sets == site.instance.clock_steps.count == 1


def test_down_process_is_not_asked(world: SimWorld) -> None:
    world.crash_process("f")
    with pytest.raises(AssertionError):
        world.run("f", "PING")


def test_host_alone_has_no_kind(world: SimWorld) -> None:
    host = SimProcess(world.sites["eu"].around, "x", world.plan.tuning)
    assert not host.is_up
    acts = (
        host.show_changes,
        host.wake_links,
        host.links_deadline,
        host.push,
        partial(host.tick_links, 0),
    )
    for act in acts:
        with pytest.raises(NotImplementedError):
            act()


@pytest.mark.interpreted("gives links another method")
def test_work_never_done_is_caught(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep_on(_links: Links, _now: int) -> list[Event]:
        return []

    monkeypatch.setattr(Links, "tick", sleep_on)
    with pytest.raises(Violation, match="is woken for what it does not do"):
        world.sleep(SECOND)
