"""The checker of round trips finds figures that links report wrongly."""

from __future__ import annotations

import attrs
import pytest

from replication.machines.endpoint import End
from replication.protocol.frames import Ack, Heartbeat
from replication.protocol.limits import MS
from sim.checkers.figures.round_trips import RoundTripChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(RoundTripChecker)


def checker(world: SimWorld) -> RoundTripChecker:
    found = checker_of(world)
    assert isinstance(found, RoundTripChecker)
    return found


def test_measured_round_trips_pass(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "x" * 50_000)
    world.sites["us"].pause_until(world.now + SECOND)
    world.sleep(3 * SECOND)
    world.reset_connections("eu", "us")
    finish(world)
    assert checker_of(world).looked > 100


def exchange(world: SimWorld, end: End, *, rtt: int, rtt_best: int) -> None:
    """Let a link of us report other figures for an exchange that takes 40 ms."""
    us, eu = world.sites["us"], world.sites["eu"]
    sink, source = us.links.sinks["eu"], eu.links.sources["us"]
    sent = world.now
    world.sleep(20 * MS)
    checker(world).on_frame_received(us, sink, Heartbeat({}, 0, stamp=sent))
    world.sleep(150 * MS)
    answered = world.now
    world.sleep(20 * MS)
    checker(world).shortest.incarnations.clear()
    end.rtt, end.rtt_best = rtt, rtt_best
    ack = Ack({}, 0, stamp=answered, echo=sent, held=150 * MS)
    checker(world).on_frame_received(eu, source, ack)


@pytest.mark.parametrize(
    ("rtt", "rtt_best", "text"),
    [
        (190, 190, "the latest round trip to us took 190 ms, and it took 40"),
        (40, 10, "the shortest round trip to us took 10 ms, and it took 40"),
    ],
)
def test_wrong_figure_is_caught(world: SimWorld, rtt: int, rtt_best: int, text: str) -> None:
    source = world.sites["eu"].links.sources["us"]
    with pytest.raises(Violation, match=f"eu says that {text}"):
        exchange(world, source, rtt=rtt * MS, rtt_best=rtt_best * MS)


def test_answer_time_does_not_count(world: SimWorld) -> None:
    source = world.sites["eu"].links.sources["us"]
    exchange(world, source, rtt=40 * MS, rtt_best=40 * MS)


def test_messages_of_one_moment_are_not_told_apart(world: SimWorld) -> None:
    us, sink = world.sites["us"], world.sites["us"].links.sinks["eu"]
    frame = Heartbeat({}, 0, stamp=world.now)
    for _ in range(2):
        checker(world).on_frame_received(us, sink, frame)
    (arrival,) = [at for stamp, at in arrivals(world).items() if stamp == frame.stamp]
    assert arrival < 0


def test_old_messages_are_forgotten(world: SimWorld) -> None:
    us, sink = world.sites["us"], world.sites["us"].links.sinks["eu"]
    for stamp in range(200):
        checker(world).on_frame_received(us, sink, attrs.evolve(Heartbeat({}, 0), stamp=stamp))
    assert len(arrivals(world)) == 64


def arrivals(world: SimWorld) -> dict[int, int]:
    """Return the messages of eu that us remembers."""
    return checker(world).arrivals["us", "eu", True]
