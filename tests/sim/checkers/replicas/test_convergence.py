"""The checker of convergence finds a region that loses a key."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.checkers.replicas.convergence import ConvergenceChecker, Standing, shown
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import (
    Take,
    caught,
    checker_of,
    drop_key,
    fill,
    finish,
    fresh,
    on_accept,
    writes,
)


def us_forgets(world: SimWorld) -> None:
    """In us, an operation on one key also removes another key."""
    us = world.sites["us"]

    def act(op: Op, take: Take) -> Outcome:
        outcome = take()
        if writes(op, b"trigger"):
            drop_key(us, b"cart")
        return outcome

    on_accept(us, act)
    fill(world, "eu", "cart")
    assert world.converge(10 * SECOND)
    world.run("eu", "SET", "trigger", "1")
    finish(world)


def test_forgotten_key_is_caught() -> None:
    assert caught(us_forgets) == ["convergence", "hidden state"]


def test_divergence_is_caught_immediately() -> None:
    world = fresh(ConvergenceChecker)
    with pytest.raises(Violation, match=r"us and (eu|ap) have both applied 1=62 and differ"):
        us_forgets(world)
    assert world.now < 5 * SECOND


def test_key_expired_by_some_clock_may_be_gone() -> None:
    world = fresh(ConvergenceChecker)
    world.run("eu", "SET", "session", "x", "PX", "300")
    assert world.converge(10 * SECOND)
    world.sleep(SECOND)
    world.run("us", "SET", "other", "x")
    finish(world)


def test_end_is_not_reached_while_vectors_differ() -> None:
    world = fresh(ConvergenceChecker)
    world.cut("eu", "us")
    world.cut("eu", "ap")
    world.run("eu", "SET", "k", "v")
    with pytest.raises(Violation, match=r"eu has 1=1, us has"):
        world.check_end()


def test_hash_follows_every_step_of_vector() -> None:
    standing = Standing({5: 1})
    standing.advance(7, 1)
    standing.advance(5, 2)
    assert standing.mark == Standing({7: 1, 5: 2}).mark
    assert standing.mark != Standing({7: 2, 5: 1}).mark


def test_vectors_are_shown_by_region_and_incarnation() -> None:
    assert shown({1 << 14: 7, (2 << 14) + 3: 9}) == "1=7 2.3=9"


def test_difference_that_shows_only_in_end_is_caught() -> None:
    world = fresh(ConvergenceChecker)
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(10 * SECOND)
    drop_key(world.sites["us"], b"cart")
    world.sites["us"].state_hash.drain_changes()
    with pytest.raises(Violation, match="eu and us differ in the end"):
        world.check_end()


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_only_so_many_vectors_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checkers.replicas.convergence.SEEN_MAX", 5)
    world = fresh(ConvergenceChecker)
    for i in range(9):
        world.run("eu", "SET", "k", str(i))
        world.sleep(10 * MS)
    checker = checker_of(world)
    assert isinstance(checker, ConvergenceChecker)
    assert list(checker.seen) == [Standing({1 << 14: seq}).mark for seq in range(5, 10)]


@pytest.mark.parametrize(("sources", "is_compared"), [(("eu",), True), (("eu", "us"), False)])
def test_copy_of_one_source_alone_is_compared(sources: tuple[str, ...], is_compared: bool) -> None:
    world = fresh(ConvergenceChecker, copies=(Copy("f", 9, sources),))
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(10 * SECOND)
    world.sleep(SECOND)
    checker, copy = checker_of(world), world.copies["f"]
    assert copy.replica.keyspace.keys() == [b"cart"]
    looked = checker.looked
    checker.on_follower_turn(copy, ())
    assert checker.looked - looked == is_compared
    drop_key(copy, b"cart")
    copy.state_hash.drain_changes()
    if is_compared:
        with pytest.raises(Violation, match=r"f has all that .* had at 1=1, and differs"):
            checker.on_follower_turn(copy, ())
    else:
        checker.on_follower_turn(copy, ())
