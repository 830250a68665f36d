"""Our own subjects: what they read, and that every command of theirs does something."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.causality.effect import ANY_TYPE, DELETE, FORGET
from crdt.testing import SUBJECTS
from crdt.testing.builtin import collected, read
from crdt.testing.commands import TypeCommand, carry_out, command
from crdt.testing.worlds.steps import NUMBER_MAX


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
