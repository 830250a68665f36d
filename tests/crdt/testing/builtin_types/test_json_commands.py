"""Commands on JSON documents: what they come to, and when they have no effect."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.testing.builtin_types.commands import command
from crdt.testing.builtin_types.json_commands import JSON_PERFORM, JSON_SAMPLES
from crdt.testing.builtin_types.subjects import PERFORM, carry_out, read

DOT = 1 << 54 | 1


def test_resolved_command_names_the_place() -> None:
    replica = Replica(1)
    made = carry_out(replica, command('JSET k . {"a":{"b":[1]}}'))
    assert (made.name, made.args) == ("JSON.ASSIGN", ((), '{"a":{"b":[1]}}'))
    made = carry_out(replica, command("JINCR k a.b.0 2"))
    place = (DOT, b"a", 0, b"b", 0, (0, 1 << 54, 1 << 22), 0)
    assert (made.name, made.args) == ("JSON.ADD", (place, 2))
    made = carry_out(replica, command("JDEL k a.b"))
    assert (made.name, made.args) == ("JSON.REMOVE", ((DOT, b"a", 0, b"b"),))
    assert read(replica)["k"][:2] == ("JSON", '{"a":{}}')


@pytest.mark.parametrize(
    "line",
    [
        "JSET k a 1",
        "JDEL k .",
        "JDEL k b",
        "JCLEAR k n",
        "JINCR k s 1",
        "JPUSH k n 0 1",
        "JDEL k 0",
    ],
)
def test_command_without_effect_comes_to_itself(line: str) -> None:
    replica = Replica(1)
    if line != "JSET k a 1":
        carry_out(replica, command('JSET k . {"n":1,"s":"x"}'))
    asked = command(line)
    assert carry_out(replica, asked) == asked
    assert replica.keyspace.seq == (line != "JSET k a 1")


def test_other_types_are_refused() -> None:
    replica = Replica(1)
    carry_out(replica, command("SADD k a"))
    carry_out(replica, command("JSET k . 1"))
    assert read(replica)["k"][0] == "set"


def test_samples_cover_all_commands() -> None:
    assert {line.split()[0] for line in JSON_SAMPLES} == JSON_PERFORM.keys() <= PERFORM.keys()
