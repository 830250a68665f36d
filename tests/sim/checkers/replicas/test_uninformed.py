"""Incarnations that wrote before they knew of earlier ones."""

from __future__ import annotations

import pytest

from crdt.types.set import Set
from sim.checkers.clients.reads import ReadsChecker
from sim.checkers.replicas.rules import RulesChecker
from sim.engine.checker import Checker, Violation
from sim.engine.events import SECOND
from sim.nodes.region import Start
from sim.world.world import SimWorld
from tests.sim.planted import finish, fresh


def persist(world: SimWorld) -> None:
    """Let all regions know that a key never ends."""
    world.run("eu", "SADD", "k", "a")
    world.run("eu", "EXPIRE", "k", "900")
    world.run("eu", "PERSIST", "k")
    assert world.converge(10 * SECOND)
    world.sleep(5 * SECOND)


def write_apart(world: SimWorld) -> None:
    """Let ap give the key a time to live while it is cut off, and let the key end."""
    world.run("ap", "SADD", "k", "b")
    world.run("ap", "PEXPIRE", "k", "4000")
    for peer in ("eu", "us"):
        world.heal("ap", peer)
    world.sleep(3 * SECOND)
    assert world.has_converged()


def read_everywhere(world: SimWorld) -> None:
    """Read the time to live of the key in all regions, so that it is checked."""
    for name in world.sites:
        assert world.run_session(name, 1, ("PTTL", "k")) != [-1]
    world.check_end()


def cut_off(world: SimWorld) -> None:
    for peer in ("eu", "us"):
        world.cut("ap", peer)


@pytest.mark.parametrize("kind", [RulesChecker, ReadsChecker])
def test_key_may_end_if_its_persist_was_forgotten(kind: type[Checker]) -> None:
    world = fresh(kind)
    persist(world)
    assert not world.sites["us"].replica.keyspace.deadlines.table
    cut_off(world)
    world.crash_process("ap")
    world.restart_process("ap", start=Start.UNAWARE)
    write_apart(world)
    read_everywhere(world)
    world.sleep(2 * SECOND)
    for name in world.sites:
        assert world.run_session(name, 1, ("SCARD", "k")) == [0]
    finish(world)
    assert world.checkers[0].looked >= 6


@pytest.mark.parametrize(
    ("kind", "text"), [(RulesChecker, "under b'k', not"), (ReadsChecker, "answers PTTL k with")]
)
def test_persist_that_is_forgotten_too_early_is_caught(kind: type[Checker], text: str) -> None:
    world = fresh(kind)
    cut_off(world)
    persist(world)
    eu = world.sites["eu"]
    eu.replica.keyspace.forget(b"k")
    eu.finish_turn()
    write_apart(world)
    with pytest.raises(Violation, match=text):
        read_everywhere(world)


def show_one_member(_held: Set) -> object:
    """Return the visible value of a set that hides a member."""
    return [b"a"]


@pytest.mark.interpreted("gives a type another method")
def test_value_of_key_with_forgotten_persist_is_still_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = fresh(RulesChecker)
    persist(world)
    cut_off(world)
    world.crash_process("ap")
    world.restart_process("ap", start=Start.UNAWARE)
    write_apart(world)
    monkeypatch.setattr(Set, "visible", show_one_member)
    with pytest.raises(Violation, match=r"shows \('set', \['a'\], .*not \('set', \['a', 'b'\], "):
        world.check_end()
