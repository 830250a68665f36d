"""The common behaviour of simulated processes."""

from __future__ import annotations

import attrs
import pytest

from replication.mesh.links import Links
from replication.protocol.events import Event
from replication.protocol.secret import LinkSecret
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.process import SimProcess
from sim.schedule.plan import Copy, Plan
from sim.world.world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    plan = Plan.of(["eu", "us"], delay_ms=20)
    made = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("eu",)),)))
    made.sleep(2 * SECOND)
    return made


def test_region_serves_and_dials_but_follower_only_dials(world: SimWorld) -> None:
    eu, f = world.places["eu"], world.places["f"]
    assert eu.all_links() == (eu.links,)
    assert f.all_links() == (f.links, f.dialling_links)
    (wire,) = f.wires
    assert f.links_of(wire.machine) is f.dialling_links
    assert [eu.links_of(wire.machine) for wire in eu.wires] == [eu.links] * 3


def test_earliest_promise_counts(world: SimWorld) -> None:
    f = world.places["f"]
    assert f.links_deadline() == min(f.links.next_deadline, f.dialling_links.next_deadline)


def test_due_work_is_not_put_off(world: SimWorld) -> None:
    """The region is given a later appointment just before it would have kept one."""
    eu, due = world.sites["eu"], world.now + 1
    world.engine.at(due, lambda: eu.arm_timer(due + 600 * SECOND))
    eu.arm_timer(due)
    world.sleep(SECOND)
    assert eu.timer_at <= world.now + SECOND


def test_restarted_region_drops_old_timers(world: SimWorld) -> None:
    eu, due = world.sites["eu"], world.now + 1
    eu.arm_timer(due)
    world.engine.at(due, lambda: world.restart_process("eu"))
    world.crash_process("eu")
    world.sleep(SECOND)
    assert due < world.now <= eu.timer_at <= world.now + SECOND


def test_down_process_is_not_asked(world: SimWorld) -> None:
    world.crash_process("f")
    with pytest.raises(AssertionError):
        world.run("f", "PING")


def test_host_alone_has_no_kind(world: SimWorld) -> None:
    host = SimProcess(world.sites["eu"].around, "x", (), tuning=world.plan.tuning)
    assert (host.is_up, host.connectors, host.wires) == (False, {}, [])
    for act in (host.seal_outbox, host.show_changes, lambda: host.handle_events([])):
        with pytest.raises(NotImplementedError):
            act()


@pytest.mark.interpreted("gives links another method")
def test_work_never_done_is_caught(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep_on(_links: Links, _now: int) -> list[Event]:
        return []

    monkeypatch.setattr(Links, "tick", sleep_on)
    with pytest.raises(Violation, match="is woken for what it does not do"):
        world.sleep(SECOND)


def test_region_with_another_secret_is_alone(world: SimWorld) -> None:
    """Each end refuses the other, and says so; nobody crashes, and the rest stays linked."""
    events: list[tuple[str, str]] = []
    world.on_event = lambda name, text: events.append((name, text))
    us = world.sites["us"]
    us.around = attrs.evolve(us.around, secret=LinkSecret(b"another"))
    world.crash_process("us")
    world.sites["us"].start_incarnation()
    world.sleep(20 * SECOND)
    eu = world.sites["eu"]
    assert eu.links.refused > 1
    assert eu.links.sinks.keys() | us.links.sinks.keys() <= {"eu", "us"}
    assert not any(end.hello for end in (*eu.links.sinks.values(), *us.links.sinks.values()))
    assert [follower.peer for follower in eu.links.followers] == ["f"]


def test_snapshot_continues_after_pause_only(world: SimWorld) -> None:
    eu = world.sites["eu"]
    wire = eu.wires[0]
    before = len(eu.kept_back)
    eu.pause_until(world.now + SECOND)
    eu.continue_snapshot(wire)
    assert len(eu.kept_back) == before + 1
    world.sleep(2 * SECOND)
    assert eu.kept_back == []
    world.crash_process("eu")
    eu.continue_snapshot(wire)
    assert wire not in eu.unflushed
