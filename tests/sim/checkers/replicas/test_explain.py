"""Texts of failures: the key, its values, and the operations behind them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sim.checkers.clients.durability import DurabilityChecker
from sim.checkers.links.following import FollowingChecker
from sim.checkers.replicas.convergence import ConvergenceChecker
from sim.checkers.replicas.explain import (
    OPERATIONS_MAX,
    TEXT_MAX,
    Holder,
    describe_effect,
    elements_text,
    explain_key,
    held_text,
    in_both_orders,
    missing_text,
    operations_on,
    operations_text,
)
from sim.engine.checker import Checker, Violation
from sim.engine.events import MS, SECOND
from sim.nodes.state_hash import StateHash
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import NAMES, drop_key, fresh


def holder(world: SimWorld, name: str) -> Holder:
    return Holder(name, world.places[name].state_hash)


def explained(world: SimWorld, one: str, other: str, clock: int = 0) -> str:
    """The text about two regions, the second of which may be ahead."""
    here = holder(world, one)
    vector = dict(here.state_hash.db.vector)
    others = [holder(world, other), in_both_orders(world.run_history, vector)]
    return explain_key(world.run_history, here, others, clock, vector)


def written() -> SimWorld:
    """A world in which two regions have written to one key."""
    world = fresh()
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(SECOND)
    world.run("us", "SADD", "cart", "eggs")
    assert world.converge(SECOND)
    return world


def test_key_values_and_operations_are_named() -> None:
    world = written()
    drop_key(world.sites["us"], b"cart")
    assert explained(world, "us", "eu") == (
        "; under 'cart' us holds nothing, eu holds {eggs milk}; written by"
        " SADD cart milk by eu at 2.000 s (1:1..1); SADD cart eggs by us at 2.020 s (2:1..1)"
    )


def test_later_writes_to_other_region_are_left_out() -> None:
    world = written()
    world.cut("us", "eu")
    world.cut("us", "ap")
    world.run("eu", "SET", "other", "x")
    drop_key(world.sites["us"], b"cart")
    assert "; under 'cart' us holds nothing, eu holds {eggs milk};" in explained(world, "us", "eu")


@pytest.mark.parametrize("later", [("SADD", "cart", "salt"), ("FLUSHALL",)])
def test_key_is_compared_with_ordered_operations(
    later: tuple[str, ...],
) -> None:
    world = written()
    world.cut("us", "eu")
    world.cut("us", "ap")
    world.run("eu", *later)
    drop_key(world.sites["us"], b"cart")
    text = explained(world, "us", "eu")
    assert "us holds nothing, a replica that got these operations in order holds {eggs" in text


def test_region_that_has_less_is_not_compared() -> None:
    world = written()
    world.crash_process("eu")
    world.restart_process("eu")
    drop_key(world.sites["us"], b"cart")
    assert "a replica that got these operations in order holds" in explained(world, "us", "eu")


def test_past_deadline_does_not_count() -> None:
    world = fresh()
    world.run("eu", "SET", "k", "v", "PX", "500")
    assert world.converge(SECOND)
    drop_key(world.sites["us"], b"k")
    db = world.sites["eu"].replica.keyspace
    deadline = db.deadlines.deadline(b"k")
    assert f"eu holds v until {deadline} ms; " in explained(world, "us", "eu", deadline - 1)
    assert explained(world, "us", "eu", deadline) == "; no key differs by now"


def test_long_values_and_long_histories_are_shortened() -> None:
    world = fresh()
    for i in range(OPERATIONS_MAX + 3):
        world.run("eu", "SET", "k", str(i) * TEXT_MAX * 2)
        world.sleep(10 * MS)
    db = world.sites["eu"].replica.keyspace
    assert len(held_text(db, b"k")) == TEXT_MAX + 1
    text = operations_text(operations_on(world.run_history, b"k", db.vector))
    assert text.startswith("3 earlier operations; SET k ")
    assert operations_text([]) == "nobody"


def test_operations_that_are_missing_are_named() -> None:
    world = written()
    run_history = world.run_history
    vector = world.sites["eu"].replica.keyspace.vector
    assert missing_text(run_history, "ap", vector, vector) == ""
    assert missing_text(run_history, "ap", {1 << 14: 1}, vector) == (
        "; ap lacks SADD cart eggs by us at 2.020 s (2:1..1)"
    )


def test_elements_are_listed() -> None:
    world = written()
    state_hash = StateHash(world.sites["eu"].replica.keyspace)
    (change,) = state_hash.drain_changes()
    assert elements_text(change.after) == "eggs milk"
    assert elements_text(change.before) == "nothing"


def test_history_shows_origin_time_and_context() -> None:
    world = written()
    history = world.run_history.book.history_of_key(b"cart", world.sites["eu"].replica.keyspace)
    assert history is not None
    assert describe_effect(history, world.run_history) == (
        "SADD cart milk by eu at 2.000 s (1:1, clock 1700000002000, seen 0);"
        " SADD cart eggs by us at 2.020 s (2:1, clock 1700000002020, seen 1)"
    )
    assert describe_effect(history, fresh().run_history).startswith("SADD cart milk (1:1, clock ")


@pytest.mark.parametrize(
    ("kind", "losers"), [(ConvergenceChecker, ["us"]), (DurabilityChecker, NAMES)]
)
def test_checkers_use_explanation(kind: type[Checker], losers: Sequence[str]) -> None:
    world = fresh(kind)
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(SECOND)
    for name in losers:
        drop_key(world.sites[name], b"cart")
        world.sites[name].state_hash.drain_changes()
    with pytest.raises(Violation, match="under 'cart' eu holds ") as raised:
        world.check_end()
    assert " holds nothing" in raised.value.text
    assert " holds {milk}" in raised.value.text
    assert "; written by SADD cart milk by eu at 2.000 s (1:1..1)" in raised.value.text


@pytest.mark.parametrize("sources", [("eu",), ("eu", "us")])
def test_follower_that_differs_is_explained(sources: tuple[str, ...]) -> None:
    world = fresh(FollowingChecker, copies=(Copy("f", 9, sources),))
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(SECOND)
    world.sleep(SECOND)
    drop_key(world.copies["f"], b"cart")
    world.copies["f"].state_hash.drain_changes()
    with pytest.raises(
        Violation, match=r"under 'cart' f holds nothing, .* holds \{milk\}; written"
    ):
        world.check_end()


def test_operations_on_other_keys_are_left_out() -> None:
    world = written()
    world.run("eu", "SET", "other", "x")
    world.sleep(10 * MS)
    world.run("eu", "FLUSHALL")
    world.sleep(10 * MS)
    vector = world.sites["eu"].replica.keyspace.vector
    reported = [
        [str(each) for each in do] for _, do in operations_on(world.run_history, b"cart", vector)
    ]
    assert reported == [["SADD cart milk"], ["SADD cart eggs"], ["FLUSHALL"]]
