"""The commands of the model: their keys, and the comparison of replies."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import SimClient
from sim.redis.commands import COMMANDS, execute, is_expected, keys_of
from sim.redis.state import AnyOrder, CommandFailure, ModelItem, RedisModel
from sim.schedule.edges import EdgeClient
from sim.schedule.writes import Load


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("GET k", "k"),
        ("DEL k l", "k l"),
        ("RENAME k l", "k l"),
        ("MSET k 1 l 2", "k l"),
        ("BLPOP k l 0", "k l"),
        ("ZUNION 2 k l WITHSCORES", "k l"),
        ("ZUNIONSTORE d 2 k l", "d k l"),
        ("BLMPOP 0 2 k l LEFT", "k l"),
        ("SORT k ALPHA STORE d", "k d"),
        ("SORT k ALPHA", "k"),
        ("WAIT 1 0", ""),
    ],
)
def test_keys_are_those_that_command_uses(command: str, keys: str) -> None:
    assert keys_of(command.split()) == keys.split()


def test_keys_are_those_that_server_knows() -> None:
    """Compare with COMMAND GETKEYS, for commands that the simulator sends.

    It does not know the keys that patterns of SORT make of elements."""
    instance = Instance(Replica(1), build_table(), rng=Random(0))
    instance.advance(1_000)
    sim_client = SimClient(instance)
    client = EdgeClient(SeededRandom(1, "edges"), Load(), "eu", session=18, number=1)
    compared: set[str] = set()
    for step in client.draw_steps(400 * SECOND):
        for words in step.commands:
            if words[0].startswith("SORT") and any("*" in word for word in words):
                continue
            if words[0] in COMMANDS and (keys := keys_of(words)):
                (found,) = sim_client.send_commands(("COMMAND", "GETKEYS", *words))
                assert {key.decode() for key in found} == set(keys), words
                compared.add(words[0])
    assert len(compared) > 100


def test_error_is_reply() -> None:
    model = RedisModel({"s": ModelItem("set", {"a"})}, 0)
    expected = execute(model, ("GET", "s"), None)
    assert is_expected(expected, CommandFailure("WRONGTYPE"))
    assert not is_expected(expected, CommandFailure("ERR"))
    assert not is_expected(expected, None)


def test_replies_of_other_type_are_not_expected() -> None:
    assert is_expected(1, 1)
    assert not is_expected(1, "1")
    assert is_expected(["a", None], ["a", None])
    assert is_expected(AnyOrder(("a", "b")), ["b", "a"])
    assert not is_expected(None, "a")
