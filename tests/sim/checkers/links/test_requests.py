"""The checker of requests finds requests for operations that a region has."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Origin
from replication.protocol.frames import GapRequest, Heartbeat, Resume
from replication.protocol.limits import MS
from sim.checkers.links.requests import RequestChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    """Return a world in which us holds two ops of ap that depend on one of eu."""
    made = fresh(RequestChecker)
    made.close_way("eu", "us")
    made.run("eu", "SET", "k", "v")
    made.sleep(30 * MS)
    for value in ("w", "x"):
        made.run("ap", "SET", "k", value)
        made.sleep(5 * MS)
    made.sleep(18 * MS)
    assert made.sites["us"].replica.causal_buffer.origins() == [origin_of_ap(made)]
    return made


def origin_of_ap(world: SimWorld) -> Origin:
    return world.sites["ap"].replica.origin


def checker(world: SimWorld) -> RequestChecker:
    found = checker_of(world)
    assert isinstance(found, RequestChecker)
    return found


def test_requests_for_what_is_lacking_pass(world: SimWorld) -> None:
    world.reset_connections("us", "ap")
    world.sleep(SECOND)
    assert checker_of(world).looked
    world.open_way("eu", "us")
    finish(world)


def request(world: SimWorld, frame: Resume | GapRequest) -> None:
    us: SimRegion = world.sites["us"]
    checker(world).on_frame_sent(us, us.links.sinks["ap"], frame)


def test_request_for_what_waits_is_caught(world: SimWorld) -> None:
    origin = origin_of_ap(world)
    text = "us requests of ap what 3 wrote after 1, and it holds all up to 2"
    with pytest.raises(Violation, match=text):
        request(world, Resume({origin: 1}, None))
    with pytest.raises(Violation, match=text):
        request(world, GapRequest(origin, 1))
    request(world, GapRequest(origin, 2))
    request(world, Resume({origin: 2}, None))


def test_what_has_just_come_is_not_expected(world: SimWorld) -> None:
    us, origin = world.sites["us"], origin_of_ap(world)
    checker(world).held.clear()
    checker(world).on_frame_received(us, us.links.sinks["ap"], Heartbeat({}, 0))
    request(world, GapRequest(origin, 0))
    world.sleep(MS)
    with pytest.raises(Violation, match="holds all up to 2"):
        request(world, GapRequest(origin, 0))


def test_what_was_dropped_is_not_expected(world: SimWorld) -> None:
    world.sites["us"].replica.causal_buffer.drop(origin_of_ap(world))
    request(world, GapRequest(origin_of_ap(world), 0))


def test_ops_behind_a_gap_do_not_count(world: SimWorld) -> None:
    buffer, origin = world.sites["us"].replica.causal_buffer, origin_of_ap(world)
    last = buffer.waiting(origin)[-1]
    buffer.drop(origin)
    assert buffer.hold(last, {})
    us = world.sites["us"]
    checker(world).on_frame_received(us, us.links.sinks["ap"], Heartbeat({}, 0))
    world.sleep(MS)
    request(world, GapRequest(origin, 0))
    world.sleep(SECOND)


def test_requests_of_process_that_is_no_region_are_not_checked(world: SimWorld) -> None:
    us, here = world.sites["us"], checker(world)
    here.held.clear()
    del here.regions["us"]
    here.on_frame_received(us, us.links.sinks["ap"], Heartbeat({}, 0))
    assert here.held == {}
