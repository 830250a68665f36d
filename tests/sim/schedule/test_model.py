"""The model of single commands agrees with the server."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.checkers.clients.commands import plain
from sim.nodes.client import SimClient
from sim.schedule.model import FORMS, execute_command, held_value

KEYS = {"string": "s", "set": "t", "hash": "h", "sorted set": "z", "list": "l"}
ARGS = {
    "SET": ("v",),
    "SETNX": ("v",),
    "GETDEL": (),
    "SADD": ("a", "b"),
    "SREM": ("a", "c"),
    "HSET": ("f", "1", "g", "2"),
    "HDEL": ("f", "x"),
    "ZADD": ("1", "a", "2.5", "b"),
    "ZREM": ("a", "x"),
    "RPUSH": ("a", "b", "c"),
    "LPUSH": ("d", "e"),
    "LPOP": (),
    "RPOP": (),
    "LSET": ("1", "n"),
    "LINSERT": ("BEFORE", "a", "i"),
    "LREM": ("0", "a"),
    "LTRIM": ("1", "2"),
}


def test_every_form_is_tried() -> None:
    assert ARGS.keys() == {*FORMS, "SET"}


@pytest.mark.parametrize("seed", range(30))
def test_model_agrees_with_server(seed: int) -> None:
    rng = Random(seed)
    instance = Instance(Replica(1), build_table(), rng=Random(0))
    instance.advance(1_000)
    sim_client = SimClient(instance)
    for _ in range(60):
        name = rng.choice(sorted(ARGS))
        key = KEYS[FORMS[name][0]] if name in FORMS else "s"
        args = ARGS[name]
        if name == "LPOP" and rng.random() < 0.5:
            args = ("2",)
        before = held_value(instance.keyspace, key)
        expected = execute_command(before, (name, key, *args))
        assert expected is not None
        reply = plain(sim_client.run_command(name, key, *args))
        assert (reply, held_value(instance.keyspace, key)) == expected, (before, name, args)


def test_unknown_command_is_not_judged() -> None:
    assert execute_command(("set", frozenset("a")), ("RPUSH", "k", "b")) is None
    assert execute_command(None, ("OBJECT", "k")) is None
    assert execute_command(("list", ["a"]), ("LINSERT", "k", "AFTER", "z", "b")) == (
        -1,
        ("list", ["a"]),
    )


@pytest.mark.parametrize("option", ["NX", "XX"])
def test_conditions_of_write_are_those_of_server(option: str) -> None:
    instance = Instance(Replica(1), build_table(), rng=Random(0))
    instance.advance(1_000)
    sim_client = SimClient(instance)
    for words in (("SET", "s", "1", option), ("SET", "s", "0"), ("SET", "s", "2", option)):
        expected = execute_command(held_value(instance.keyspace, "s"), words)
        assert (
            plain(sim_client.run_command(*words)),
            held_value(instance.keyspace, "s"),
        ) == expected
    assert execute_command(None, ("SET", "s", "1", "GET")) is None
