"""The built-in subjects: their readings, and that each of their commands has an effect."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.causality.effect import ANY_TYPE, DELETE, FORGET
from crdt.testing import SUBJECTS, run_script
from crdt.testing.builtin_types.commands import TypeCommand, command
from crdt.testing.builtin_types.subjects import carry_out, collected, read
from crdt.testing.worlds.steps import NUMBER_MAX
from crdt.types.list import List


def test_reading_is_in_words() -> None:
    replica = Replica(1)
    replica.advance(1000)
    for line in ("SET a 5", "RPUSH b z y", "HSET c f g", "ZADD d m 1.5", "SADD e x"):
        carry_out(replica, command(line))
    carry_out(replica, command("EXPIRE e 5"))
    assert read(replica) == {
        "a": ("string", "5", None),
        "b": ("list", ["y", "z"], None),
        "c": ("hash", [("f", "g")], None),
        "d": ("sorted set", [("m", 1.5)], None),
        "e": ("set", ["x"], 1005),
    }


def test_garbage_collection_is_command() -> None:
    assert collected((ANY_TYPE, DELETE, b"k", ())) == TypeCommand("DEL", "k")
    assert collected((ANY_TYPE, FORGET, b"k")) == TypeCommand("FORGET", "k")


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_command_can_be_written_in_script(name: str) -> None:
    commands = SUBJECTS[name].commands
    assert len(commands) <= NUMBER_MAX
    assert all(command(str(each)).name == each.name for each in commands)


@pytest.mark.parametrize(
    ("name", "increment", "write", "later"),
    [
        ("string", "INCRBY k 1", "SET k a", "SET k 7"),
        ("hash", "HINCRBY k f 1", "HSET k f a", "HSET k f 7 g 8"),
        ("sorted-set", "ZINCRBY k a 1.0", "ZADD k a 1.0", "ZADD k a 2.5 b 3.0"),
    ],
)
def test_later_write_wins_over_one_that_replaced_increments_before_1970(
    name: str, increment: str, write: str, later: str
) -> None:
    script = f"""
        subject {name}
        write 1 {increment}
        advance all -3000
        write 1 {write}
        advance 3 1
        write 3 {later}
    """
    run_script(SUBJECTS[name], script)


def test_short_list_has_several_blocks() -> None:
    replica = SUBJECTS["list"].replica(1, (1,), 1 << 20)
    carry_out(replica, command("RPUSH k b c d"))
    value = replica.keyspace.lookup(b"k")
    assert isinstance(value, List)
    assert len(value.items.groups[0].blocks) == 2
