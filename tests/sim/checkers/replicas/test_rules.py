"""The checker of rules finds a wrong value on which all regions agree."""

from __future__ import annotations

from typing import cast

import pytest

from crdt.types.list import List
from crdt.types.set import Set
from sim.checkers.replicas import rules
from sim.checkers.replicas.rules import RulesChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes import effects
from sim.nodes.effects import EFFECTS_MAX, KEYS_MAX
from sim.world.world import SimWorld
from tests.sim.planted import caught, checker_of, drop_key, fill, finish, fresh

PAIRS = (("eu", "us"), ("eu", "ap"), ("us", "ap"))


def rules_of(world: SimWorld) -> RulesChecker:
    checker = checker_of(world)
    assert isinstance(checker, RulesChecker)
    return checker


def a_set_hides_a_member(world: SimWorld) -> None:
    """In all regions, and in the specification, a set does not show one member."""
    visible = Set.visible

    def hide(held: Set) -> object:
        shown = cast("list[bytes]", visible(held))
        return [member for member in shown if member != b"ghost"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Set, "visible", hide)
        world.run("eu", "SADD", "free:0", "ghost", "milk")
        finish(world)


@pytest.mark.rule("STM-26")
def test_copy_of_stream_without_entries_is_right() -> None:
    """It was once said to be nothing, as no XADD and no group had made it."""
    world = fresh(RulesChecker)
    world.run("eu", "XGROUP", "CREATE", "stream:0", "g", "0", "MKSTREAM")
    world.run("eu", "COPY", "stream:0", "stream:1")
    finish(world)
    assert world.run("us", "TYPE", "stream:1") == "stream"
    assert checker_of(world).looked == 6


@pytest.mark.interpreted("gives a type another method")
def test_value_that_all_have_wrong_is_caught() -> None:
    assert caught(a_set_hides_a_member) == ["conflict rules", "commands"]


@pytest.mark.interpreted("gives a type another method")
def test_message_shows_commands_and_context() -> None:
    with pytest.raises(Violation) as raised:
        a_set_hides_a_member(fresh(RulesChecker))
    assert raised.value.text == (
        "eu shows ('set', ['milk'], None) under b'free:0', not ('set', ['ghost', 'milk'], None),"
        " after SADD free:0 ghost milk by eu at 2.000 s (1:1, clock 1700000002000, seen 0)"
    )


CONFLICTS: list[tuple[str, ...]] = [
    ("SET k a",),
    ("SET k 7", "INCRBY k 3"),
    ("SADD k a b", "SREM k b"),
    ("HSET k f 1 g 2", "HINCRBY k f 5", "HDEL k g"),
    ("ZADD k 1 a", "ZINCRBY k 2 a", "ZREM k b"),
    ("RPUSH k a b", "LPUSH k c", "LSET k 1 d", "LPOP k"),
    ("DEL k",),
    ("SET k v PX 900",),
    ("PERSIST k",),
    ("PEXPIRE k 100000",),
    ("FLUSHALL",),
]


@pytest.mark.parametrize("first", CONFLICTS, ids=lambda each: each[0])
def test_conflicts_of_all_kinds_are_worked_out(first: tuple[str, ...]) -> None:
    world = fresh(RulesChecker)
    world.run("eu", "SADD", "k", "old")
    assert world.converge(10 * SECOND)
    for pair in PAIRS:
        world.cut(*pair)
    for index, second in enumerate(CONFLICTS):
        for line in first:
            world.run("eu", *line.replace(" k", f" k{index}").split())
        for line in second:
            world.run("us", *line.replace(" k", f" k{index}").split())
        world.run("ap", "DEL", "k")
        world.sleep(MS)
    for pair in PAIRS:
        world.heal(*pair)
    finish(world)
    assert checker_of(world).looked > 3


def test_expired_key_is_not_expected() -> None:
    world = fresh(RulesChecker)
    world.run("eu", "SET", "k", "v", "PX", "500")
    assert world.converge(SECOND)
    world.check_end()
    world.sleep(SECOND)
    world.check_end()
    world.run("us", "SADD", "k", "new")
    finish(world)


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_key_is_looked_at_when_its_turn_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SAMPLE", 3)
    world = fresh(RulesChecker)
    world.run("eu", "SADD", "k", "a")
    world.run("eu", "SADD", "k", "b")
    assert checker_of(world).looked == 0
    world.run("eu", "SADD", "k", "c")
    assert checker_of(world).looked == 1
    drop_key(world.sites["eu"], b"k")
    for member in "def":
        assert world.run("eu", "SADD", "l", member) == 1
    with pytest.raises(Violation, match=r"eu shows None under b'k', not \('set', "):
        world.check_end()


def test_keys_with_long_history_are_left_alone() -> None:
    world = fresh(RulesChecker)
    fill(world, "eu", "k")
    world.run("eu", "SADD", "k", "another")
    world.run("eu", "FLUSHALL")
    assert not world.run_history.book.by_key
    finish(world)
    assert checker_of(world).looked == 0


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_number_of_remembered_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEYS_MAX > EFFECTS_MAX
    monkeypatch.setattr(effects, "KEYS_MAX", 2)
    world = fresh(RulesChecker)
    for key in ("a", "b", "a", "c"):
        world.run("eu", "SADD", key, "m")
    assert list(world.run_history.book.by_key) == [b"a", b"c"]


def test_elements_that_change_places_are_caught() -> None:
    world = fresh(RulesChecker)
    world.run("eu", "RPUSH", "k", "a", "b")
    finish(world)
    items = world.sites["us"].replica.keyspace.data[b"k"]
    assert isinstance(items, List)
    swap = items.items.groups[0].blocks[0].keys
    swap[0], swap[1] = swap[1], swap[0]
    with pytest.raises(Violation, match=r"us, b'k': .* changed places"):
        world.check_end()
