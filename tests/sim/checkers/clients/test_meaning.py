"""The right value: caught where an increment counts twice, for everybody."""

from __future__ import annotations

import pytest

from crdt.types.list import head_place
from crdt.writes.string import increment
from sim.checkers.clients.meaning import MeaningChecker, spell_command
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.world.world import World
from tests.sim.planted import caught, checker_of, drop_key, finish, fresh


def eu_counts_twice(world: World) -> None:
    """In eu, an increment is applied and sent twice."""
    world.run("eu", "INCRBY", "count:0.0", "5")
    increment(world.sites["eu"].replica.keyspace, b"count:0.0", 5)
    world.run("eu", "INCRBY", "count:0.0", "1")
    finish(world)


def test_a_wrong_sum_is_caught() -> None:
    assert caught(eu_counts_twice) == ["specification"]


def test_the_message_says_what_should_be_seen() -> None:
    with pytest.raises(Violation, match=r"shows b'11' under count:0.0, not b'6'"):
        eu_counts_twice(fresh(MeaningChecker))


def test_all_families_are_worked_out() -> None:
    world = fresh(MeaningChecker)
    for pair in (("eu", "us"), ("eu", "ap"), ("us", "ap")):
        world.cut(*pair)
    for name in world.sites:
        world.run(name, "INCRBY", "count:0.0", "5")
        world.run(name, "DECRBY", "count:0.0", "1")
        world.run(name, "SET", "word:0.0", f"u{name}")
        world.run(name, "SADD", "tag:0.0", "t1")
        world.run(name, "SADD", "all:0", f"u{name}")
        world.run(name, "RPUSH", "log:0", f"u{name}")
        world.sleep(MS)
    world.run_all("us", ("MULTI",), ("SREM", "tag:0.0", "t1"), ("SADD", "tag:0.0", "t2"), ("EXEC",))
    for pair in (("eu", "us"), ("eu", "ap"), ("us", "ap")):
        world.heal(*pair)
    finish(world)
    assert checker_of(world).looked >= 15
    assert world.run("ap", "SMEMBERS", "tag:0.0") == [b"t1", b"t2"]
    assert world.run("eu", "GET", "word:0.0") == b"uap"


def test_a_write_that_had_seen_the_other_wins_with_a_slow_clock() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "SET", "word:0.0", "u1")
    assert world.settle(10 * SECOND)
    world.sites["us"].clock.step_by(-3_600_000)
    world.run("us", "SET", "word:0.0", "u2")
    finish(world)
    assert world.run("eu", "GET", "word:0.0") == b"u2"


def test_a_lost_log_entry_is_caught() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "RPUSH", "log:0", "u1")
    world.run("eu", "RPUSH", "log:0", "u2")
    world.run("eu", "LPOP", "log:0")
    assert world.settle(10 * SECOND)
    with pytest.raises(Violation, match=r"under log:0, not \{16384: \[b'u1', b'u2'\]\}"):
        world.check_end()


def test_after_a_flush_nothing_is_claimed() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "RPUSH", "log:0", "u1")
    world.run("eu", "FLUSHALL")
    finish(world)


def test_only_simple_commands_are_spelled() -> None:
    assert spell_command(["INCRBY", "count:0.0", "7"]) == (0, 7)
    assert spell_command(["DECRBY", "count:0.0", "7"]) == (0, -7)
    assert spell_command(["SREM", "tag:0.0", "t1"]) == (1, b"t1")
    assert spell_command(["SADD", "free:0", "t1"]) is None
    assert spell_command(["LPOP", "log:0"]) is None
    assert spell_command(["PING"]) is None


@pytest.mark.parametrize(
    ("key", "words", "shown"),
    [
        ("all:0.0", ("SADD", "u1"), r"\[\] under all:0.0, not \[b'u1'\]"),
        ("word:0.0", ("SET", "u1"), "None under word:0.0, not b'u1'"),
    ],
)
def test_a_lost_key_is_caught(key: str, words: tuple[str, str], shown: str) -> None:
    world = fresh(MeaningChecker)
    world.run("eu", words[0], key, words[1])
    drop_key(world.sites["eu"], key.encode())
    with pytest.raises(Violation, match=f"eu shows {shown}"):
        world.check_end()


@pytest.mark.interpreted("gives lists another function")
def test_what_is_pushed_elsewhere_than_at_the_tail_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def eu_pushes_at_the_head(world: World) -> None:
        world.run("eu", "RPUSH", "log:0.0", "u1")
        with monkeypatch.context() as patch:
            patch.setattr("crdt.writes.list.tail_place", head_place)
            world.run("eu", "RPUSH", "log:0.0", "u2")

    with pytest.raises(Violation, match="eu pushed b'u2' at the tail of log:0"):
        eu_pushes_at_the_head(fresh(MeaningChecker))


def test_nothing_is_claimed_of_a_key_that_was_deleted() -> None:
    world = fresh(MeaningChecker)
    for key in ("all:0.0", "all:1.0"):
        world.run("eu", "SADD", key, "u1")
    world.run("eu", "DEL", "all:0.0", "never")
    checker = checker_of(world)
    assert isinstance(checker, MeaningChecker)
    assert list(checker.histories) == ["all:1.0"]
    finish(world)
