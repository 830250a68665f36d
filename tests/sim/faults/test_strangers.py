"""Strangers are refused, and followers in a crowd share the places fairly."""

from __future__ import annotations

import attrs
import pytest

from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.mesh import connections
from replication.mesh.admission import FOLLOWERS_MAX
from replication.protocol.frames import Hello
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.faults import strangers
from sim.faults.kinds import Injector
from sim.faults.strangers import STRANGERS
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld
from tests.sim.quartet import NAMES, quartet


@pytest.fixture
def world() -> SimWorld:
    return quartet()


def do(world: SimWorld, kind: str, *regions: str, lasts: int = 0, value: int = 0) -> int:
    """Apply a fault. Return whether it has happened."""
    injector = Injector(world)
    injector.apply_step(ScheduleStep(world.now, kind, regions, lasts, value))
    return injector.fired[kind]


def settle(world: SimWorld) -> None:
    """Let all arrive, and check everything."""
    world.run("a", "SET", "k", str(world.now))
    assert world.converge(30 * SECOND)
    world.sleep(2 * SECOND)
    world.check_end()


# -- strangers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", range(2 * len(STRANGERS) + 1))
def test_stranger_is_refused(value: int, world: SimWorld) -> None:
    assert do(world, "stranger", *NAMES, value=value) == 1
    assert world.sites["a"].rejected == 1
    settle(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
@pytest.mark.parametrize("value", [0, 2 * len(STRANGERS)])
def test_accepted_stranger_is_caught(
    value: int, world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = world.sites["b"].links.log_reader.hello()

    def accept(_end: object, hello: Hello, _now: int) -> str:
        return "" if hello == right else "no"

    def pose(hello: Hello) -> Hello:
        return attrs.evolve(hello, lineage=())

    monkeypatch.setattr(strangers, "STRANGERS", (pose,) * len(STRANGERS))
    monkeypatch.setattr(world.sites["c"].links.log_reader, "hello", lambda: right)
    monkeypatch.setattr(world.sites["a"].links, "admit_peer", accept)
    with pytest.raises(Violation, match="a accepts region 2, 'b' of 'sim', in place of"):
        do(world, "stranger", *NAMES, value=value)


def test_stranger_comes_to_nobody(world: SimWorld) -> None:
    world.cut_link("b", "a")
    assert do(world, "stranger", "a", "b", "c", "d") == 0
    world.crash_process("c")
    assert do(world, "stranger", "c", "a", "b", "d") == 0
    assert do(world, "stranger", "a", "c", "b", "d") == 0
    world.crash_process("d")
    assert do(world, "stranger", "b", "a", "c", "d", value=2 * len(STRANGERS)) == 0


# -- followers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 2, 3])
def test_crowd_shares_places(value: int, world: SimWorld) -> None:
    assert do(world, "follower-crowd", "a", value=value) == 1
    assert [end.peer for end in world.sites["a"].links.followers] == ["f"]
    settle(world)


def test_crowd_does_not_come_to_region_that_is_down(world: SimWorld) -> None:
    world.crash_process("a")
    assert do(world, "follower-crowd", "a", value=1) == 0


@pytest.mark.interpreted("replaces a function of a compiled module")
@pytest.mark.parametrize(
    ("place", "text"),
    [
        (-1, r"a gives a place of 10.0.0.[012] to 10.0.0.[012], which has more"),
        (None, r"a refuses a follower of 10.0.0.2"),
    ],
)
def test_unfair_places_are_caught(
    place: int | None, text: str, world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(followers: list[object], _newcomer: object) -> object:
        assert len(followers) == FOLLOWERS_MAX
        return None if place is None else followers[place]

    monkeypatch.setattr(connections, "follower_to_replace", choose)
    with pytest.raises(Violation, match=text):
        do(world, "follower-crowd", "a", value=1)


def test_places_are_not_judged_while_follower_is_idle(world: SimWorld) -> None:
    site = world.sites["b"]
    crowd: list[Source] = []
    for _ in range(FOLLOWERS_MAX - len(site.links.followers)):
        strangers.admit_follower(site, crowd, "10.0.0.1")
    crowd[0].state = SourceState.READY
    strangers.admit_follower(site, crowd, "10.0.0.2")
    assert not crowd[-1].closed
    assert crowd[0].closed
