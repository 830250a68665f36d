"""The checker of cut links finds a cut that closes another connection, or that lets data pass."""

from __future__ import annotations

import pytest

from replication.protocol.peers import Direction
from sim.checkers.links.cutting import SAMPLE, CutChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(CutChecker)


def look(world: SimWorld) -> None:
    for _ in range(SAMPLE):
        checker_of(world).on_turn_end(world.sites["eu"], ())


def test_cut_and_healed_links_pass(world: SimWorld) -> None:
    world.cut_link("eu", "us")
    world.run("us", "SET", "k", "v")
    world.sleep(SECOND)
    world.heal_link("eu", "us")
    finish(world)
    assert checker_of(world).looked == 2


def test_cut_that_closes_the_other_direction_is_caught(world: SimWorld) -> None:
    site = world.sites["eu"]
    before = site.links.ends()
    site.handle_events(site.links.sinks["us"].close("the link is cut"))
    with pytest.raises(Violation, match="to us was cut in eu, which has closed its link from us"):
        checker_of(world).on_link_cut(site, "us", Direction.OUT, before)


def test_connection_that_ends_for_another_reason_is_not_judged(world: SimWorld) -> None:
    site = world.sites["eu"]
    before = site.links.ends()
    site.handle_events(site.links.cut("us", Direction.OUT, world.now))
    site.handle_events(site.links.sinks["ap"].close("a new incarnation"))
    checker_of(world).on_link_cut(site, "us", Direction.OUT, before)


@pytest.mark.parametrize(
    ("name", "direction", "text"),
    [("eu", Direction.OUT, "to us, sending"), ("us", Direction.IN, "from eu, streaming")],
)
def test_cut_without_effect_is_caught(
    world: SimWorld, name: str, direction: Direction, text: str
) -> None:
    site = world.sites[name]
    peer = "us" if name == "eu" else "eu"
    with pytest.raises(Violation, match=f"from eu to us is cut, and {name} is connected {text}"):
        checker_of(world).on_link_cut(site, peer, direction, site.links.ends())


def test_link_that_returns_unhealed_is_caught(world: SimWorld) -> None:
    world.cut_link("eu", "us")
    look(world)
    for name, peer, direction in (("eu", "us", Direction.OUT), ("us", "eu", Direction.IN)):
        world.sites[name].links.heal(peer, direction)
    world.sleep(SECOND)
    with pytest.raises(Violation, match="from eu to us is cut, and eu is connected to us"):
        look(world)
