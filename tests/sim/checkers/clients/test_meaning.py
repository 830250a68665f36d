"""The checker of values finds an increment that counts twice in all regions."""

from __future__ import annotations

import pytest

from crdt.causality.effect import LARGE_BYTES
from crdt.causality.op import Op
from crdt.writes.list_places import head_place
from crdt.writes.string import increment
from sim.checkers.clients.meaning import MeaningChecker, specified_command
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld
from tests.sim.planted import caught, checker_of, drop_key, finish, fresh


def eu_counts_twice(world: SimWorld) -> None:
    """In eu, an increment is applied and sent twice."""
    world.run("eu", "INCRBY", "count:0.0", "5")
    increment(world.sites["eu"].replica.keyspace, b"count:0.0", 5)
    world.run("eu", "INCRBY", "count:0.0", "1")
    finish(world)


def test_wrong_sum_is_caught() -> None:
    assert caught(eu_counts_twice) == ["specification"]


def test_message_names_expected_value() -> None:
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
        world.run(name, "PFADD", "sketch:0", "t1", f"u{name}")
        world.run(name, "GEOADD", "place:0", "13.3", f"-{len(name)}8.5", "t1")
        world.sleep(MS)
    world.run_all("us", ("MULTI",), ("SREM", "tag:0.0", "t1"), ("SADD", "tag:0.0", "t2"), ("EXEC",))
    for pair in (("eu", "us"), ("eu", "ap"), ("us", "ap")):
        world.heal(*pair)
    finish(world)
    assert checker_of(world).looked >= 21
    assert world.run("ap", "SMEMBERS", "tag:0.0") == [b"t1", b"t2"]
    assert world.run("eu", "GET", "word:0.0") == b"uap"


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("PFADD", "sketch:0", *map(str, range(20))), "sketch:0"),
        (("GEOADD", "place:0", "1", "2", "m"), "place:0"),
    ],
)
@pytest.mark.rule("HLL-1", "ZST-11")
def test_lost_estimate_or_position_is_caught(command: tuple[str, ...], key: str) -> None:
    world = fresh(MeaningChecker)
    world.run("eu", *command)
    assert world.converge(10 * SECOND)
    drop_key(world.sites["us"], key.encode())
    with pytest.raises(Violation, match=rf"us shows (None|\[\]) under {key}"):
        world.check_end()


def test_write_that_had_seen_other_wins_with_slow_clock() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "SET", "word:0.0", "u1")
    assert world.converge(10 * SECOND)
    world.sites["us"].clock.step_by(-3_600_000)
    world.run("us", "SET", "word:0.0", "u2")
    finish(world)
    assert world.run("eu", "GET", "word:0.0") == b"u2"


def test_lost_log_entry_is_caught() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "RPUSH", "log:0", "u1")
    world.run("eu", "RPUSH", "log:0", "u2")
    world.run("eu", "LPOP", "log:0")
    assert world.converge(10 * SECOND)
    with pytest.raises(Violation, match=r"under log:0, not \{16384: \[b'u1', b'u2'\]\}"):
        world.check_end()


def test_after_flush_nothing_is_claimed() -> None:
    world = fresh(MeaningChecker)
    world.run("eu", "RPUSH", "log:0", "u1")
    world.run("eu", "FLUSHALL")
    finish(world)


def test_only_simple_commands_are_spelled() -> None:
    assert specified_command(["INCRBY", "count:0.0", "7"]) == (0, 7)
    assert specified_command(["DECRBY", "count:0.0", "7"]) == (0, -7)
    assert specified_command(["SREM", "tag:0.0", "t1"]) == (1, b"t1")
    assert specified_command(["SADD", "free:0", "t1"]) is None
    assert specified_command(["LPOP", "log:0"]) is None
    assert specified_command(["PING"]) is None


@pytest.mark.parametrize(
    ("key", "words", "shown"),
    [
        ("all:0.0", ("SADD", "u1"), r"\[\] under all:0.0, not \[b'u1'\]"),
        ("word:0.0", ("SET", "u1"), "None under word:0.0, not b'u1'"),
    ],
)
def test_lost_key_is_caught(key: str, words: tuple[str, str], shown: str) -> None:
    world = fresh(MeaningChecker)
    world.run("eu", words[0], key, words[1])
    drop_key(world.sites["eu"], key.encode())
    with pytest.raises(Violation, match=f"eu shows {shown}"):
        world.check_end()


@pytest.mark.interpreted("gives lists another function")
def test_push_not_at_tail_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def eu_pushes_at_the_head(world: SimWorld) -> None:
        world.run("eu", "RPUSH", "log:0.0", "u1")
        with monkeypatch.context() as patch:
            patch.setattr("crdt.writes.list.tail_place", head_place)
            world.run("eu", "RPUSH", "log:0.0", "u2")

    with pytest.raises(Violation, match="eu pushed b'u2' at the tail of log:0"):
        eu_pushes_at_the_head(fresh(MeaningChecker))


def test_deleted_key_is_not_judged() -> None:
    world = fresh(MeaningChecker)
    for key in ("all:0.0", "all:1.0"):
        world.run("eu", "SADD", key, "u1")
    world.run("eu", "DEL", "all:0.0", "never")
    checker = checker_of(world)
    assert isinstance(checker, MeaningChecker)
    assert list(checker.histories) == ["all:1.0"]
    finish(world)


def test_parts_of_transaction_count_where_others_see_them() -> None:
    """Once, all commands of a transaction were recorded under the dot of the last one."""
    plan = Plan.of(("eu", "us"), delay_ms=20, tuning=Tuning(op_bytes=60))
    world = SimWorld(plan, checkers=(MeaningChecker,))
    assert world.converge(10 * SECOND)
    once = (("RPUSH", "log:0", "u" * 30), ("SADD", "all:0", "u" * 30), ("SET", "free:0", "x" * 50))
    world.run_all("eu", ("MULTI",), *once, ("EXEC",))
    eu, us = world.sites["eu"], world.sites["us"]
    first, *_, last = world.run_history.in_order
    assert (first.last, last.last) == (1, 3)
    us.replica.accept(Op.from_bytes(first.data))
    checker = checker_of(world)
    assert isinstance(checker, MeaningChecker)
    checker.check_value(us, "log:0")
    checker.check_value(us, "all:0")
    assert checker.looked == 1
    drop_key(us, b"log:0")
    with pytest.raises(Violation, match="us shows None under log:0"):
        checker.check_value(us, "log:0")
    twice = (("SADD", "tag:0.0", "t" * 30), ("SREM", "tag:0.0", "t" * 30))
    world.run_all("eu", ("MULTI",), *twice, ("EXEC",))
    checker.check_value(eu, "tag:0.0")
    assert checker.looked == 2, "others may see one without the other"


def test_write_that_replaces_another_before_that_is_sealed_counts() -> None:
    world = fresh(MeaningChecker)
    values = [letter * (LARGE_BYTES + 1) for letter in "abc"]
    for value in values:
        world.run("eu", "SET", "word:0.0", value)
    assert world.sites["eu"].replica.keyspace.seq == 2
    checker = checker_of(world)
    assert isinstance(checker, MeaningChecker)
    history = checker.histories["word:0.0"]
    assert [taken.command[1].decode() for taken in history] == values
    finish(world)
