"""The links of simulated processes."""

from __future__ import annotations

import attrs
import pytest

from replication.protocol.secret import LinkSecret
from sim.engine.events import SECOND
from sim.nodes.linked_process import LinkedProcess
from sim.world.world import SimWorld


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


def test_linked_process_alone_has_no_events(world: SimWorld) -> None:
    host = LinkedProcess(world.sites["eu"].around, "x", (), tuning=world.plan.tuning)
    assert (host.is_up, host.connectors, host.wires) == (False, {}, [])
    with pytest.raises(NotImplementedError):
        host.handle_events([])


def test_region_with_another_secret_is_alone(world: SimWorld) -> None:
    """Each end refuses the other and reports it. No process crashes. The other links stay up."""
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
