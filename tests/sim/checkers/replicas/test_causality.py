"""The checker of causality finds a causal buffer that releases operations too early."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from sim.checkers.replicas.causality import CausalityChecker, sealed_vector
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.world.world import SimWorld
from tests.sim.planted import Take, caught, finish, fresh, on_accept


def us_does_not_wait(world: SimWorld) -> None:
    """In us, an operation that should wait is applied at once."""
    us = world.sites["us"]

    def act(op: Op, _take: Take) -> Outcome:
        replica = us.replica
        if op.first == replica.keyspace.vector.get(op.origin, 0) + 1:
            replica.apply_op(op)
            return Outcome.APPLIED
        return Outcome.DUPLICATE

    on_accept(us, act)
    world.cut("eu", "us")
    world.run("eu", "SET", "question", "why")
    world.sleep(100 * MS)
    world.run("ap", "SET", "answer", "because")
    world.sleep(100 * MS)
    world.heal("eu", "us")
    finish(world)


def test_early_operation_is_caught() -> None:
    assert caught(us_does_not_wait) == ["causality"]


def test_message_names_missing_dependency() -> None:
    with pytest.raises(Violation, match=r"us applied 3:1\.\.1, which had seen 1=1, but has only"):
        us_does_not_wait(fresh(CausalityChecker))


def test_vector_must_end_between_operations() -> None:
    world = fresh(CausalityChecker)
    world.run_all("eu", ("MULTI",), ("SET", "a", "1"), ("SET", "b", "1"), ("EXEC",))
    assert world.converge(SECOND)
    us = world.sites["us"]
    us.replica.keyspace.vector[1 << 14] = 1
    with pytest.raises(Violation, match="1:1 ends no operation"):
        world.run("us", "SET", "k", "v")


def test_snapshot_must_be_causally_closed() -> None:
    world = fresh(CausalityChecker)
    world.run("eu", "SET", "a", "1")
    assert world.converge(SECOND)
    world.run("us", "SET", "b", "1")
    assert world.converge(SECOND)
    ap = world.sites["ap"]
    del ap.replica.keyspace.vector[1 << 14]
    with pytest.raises(Violation, match=r"2:1\.\.1 had seen"):
        world.run("ap", "SET", "c", "1")


def test_gap_in_what_one_origin_made_is_caught() -> None:
    world = fresh(CausalityChecker)
    us = world.sites["us"]

    def skip_one(op: Op, take: Take) -> Outcome:
        if op.first == 1:
            return Outcome.APPLIED
        us.replica.keyspace.vector[op.origin] = op.first - 1
        return take()

    on_accept(us, skip_one)
    world.run("eu", "SET", "a", "1")
    world.run("eu", "SET", "b", "1")
    with pytest.raises(Violation, match=r"us applied 1:2\.\.2 after 0 of its origin"):
        world.converge(10 * SECOND)


def test_step_that_adds_nothing_to_vector_is_no_matter() -> None:
    world = fresh(CausalityChecker)
    world.run("eu", "SET", "a", "1")
    us = world.sites["us"]
    assert world.converge(10 * SECOND)
    looked = world.checkers[0].looked
    us.state_hash.before_change(b"a")
    world.run("us", "GET", "a")
    assert not us.state_hash.dirty
    assert world.checkers[0].looked == looked


def test_effects_that_are_not_sealed_are_left_out_of_vector() -> None:
    replica = Replica(1)
    db = replica.keyspace
    assert sealed_vector(db) == {}
    replica.set("s").add("a")
    assert sealed_vector(db) == {}
    replica.seal()
    replica.set("s").add("b")
    assert sealed_vector(db) == {replica.origin: 1}
