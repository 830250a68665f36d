"""The checker of growth finds a vector that goes back for a moment."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Vector
from sim.checkers.replicas.growth import GrowthChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import caught, finish, fresh


def nothing(_vector: Vector, _known: Vector) -> str:
    """Return no gaps: a planted bug."""
    return ""


def us_goes_back(world: SimWorld) -> None:
    """us forgets for a moment how far it had come with eu."""
    for i in range(3):
        world.run("eu", "SET", f"k{i}", "v")
        assert world.converge(10 * SECOND)
        world.run("us", "SET", f"u{i}", "v")
        assert world.converge(10 * SECOND)
    vector = world.sites["us"].replica.keyspace.vector
    vector[1 << 14] -= 1
    with pytest.MonkeyPatch.context() as patch:
        # Only the vector is wrong. What us had observed at its write is not checked here.
        patch.setattr(world.run_history, "explain_unclosed", nothing)
        world.run("us", "SET", "now", "v")
    vector[1 << 14] += 1
    world.run("us", "SET", "then", "v")
    finish(world)


@pytest.mark.interpreted("gives the ledger another method")
def test_vector_that_goes_back_is_caught() -> None:
    assert caught(us_goes_back) == ["growing vectors"]


def test_region_must_claim_what_it_made() -> None:
    world = fresh(GrowthChecker)
    db = world.sites["us"].replica.keyspace
    world.run("us", "SET", "k", "v")
    db.seq = 7
    db.vector[2 << 14] = 2
    world.sites["us"].state_hash.before_change(b"k")
    with pytest.raises(Violation, match="us made 7 effects and claims 2"):
        world.run("us", "GET", "k")


def test_step_that_adds_nothing_to_vector_is_not_counted() -> None:
    world = fresh(GrowthChecker)
    world.run("us", "SET", "k", "v")
    looked = world.checkers[0].looked
    world.sites["us"].state_hash.before_change(b"k")
    world.run("us", "GET", "k")
    assert world.checkers[0].looked == looked
