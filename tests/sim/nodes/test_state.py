"""The visible state of a region on a single line."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from sim.nodes.client import SimClient
from sim.nodes.state import format_seconds, format_shown, format_state


def region(number: int) -> SimClient:
    """Return a client of a region at time 1,000 ms."""
    instance = Instance(Replica(number), build_table(), name=f"r{number}", rng=Random(0))
    instance.advance(1_000)
    return SimClient(instance)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("SET hits 3", "hits = 3"),
        ("SADD cart milk bread", "cart {bread milk}"),
        ("RPUSH log b a", "log [b a]"),
        ("HSET user name Ann age 7", "user {age: 7, name: Ann}"),
        ("ZADD board 5 bob 3 zoe 3 ann 0.5 al", "board (al 0.5, ann 3, zoe 3, bob 5)"),
        ("SET k v PX 1500", "k = v for 1.5 s"),
    ],
)
def test_each_type_has_its_brackets(command: str, text: str) -> None:
    sim_client = region(1)
    sim_client.send_commands(command.split())
    assert format_state(sim_client.client.db) == text


def test_value_without_form_is_shown_as_it_is() -> None:
    assert format_shown(None, b"v") == "= v"
    assert format_shown(None, 0.5) == "= 0.5"
    assert format_shown(None, 7) == "= 7"


def test_keys_are_sorted_and_there_may_be_none() -> None:
    sim_client = region(1)
    assert format_state(sim_client.client.db) == "nothing"
    sim_client.send_commands(("SET", "b", 2), ("SET", "a", 1))
    assert format_state(sim_client.client.db) == "a = 1, b = 2"


def test_expired_key_is_not_shown() -> None:
    sim_client = region(1)
    sim_client.send_commands(("SET", "a", 1, "PX", 10), ("SET", "b", 2))
    sim_client.client.instance.advance(1_011)
    assert format_state(sim_client.client.db) == "b = 2"


def test_values_of_other_types_under_key_are_counted() -> None:
    here, there = region(1), region(2)
    here.send_commands(("SADD", "k", "a"))
    there.send_commands(("RPUSH", "k", "b"))
    op = there.client.instance.replica.seal()
    assert op is not None
    here.client.instance.replica.accept(Op.from_bytes(op.to_bytes()))
    assert format_state(here.client.db) in {
        "k {a} (and 1 of another type)",
        "k [b] (and 1 of another type)",
    }


def test_times_are_shown_in_milliseconds() -> None:
    assert [format_seconds(ms) for ms in (2_000, 1, 90_050)] == ["2 s", "0.001 s", "90.05 s"]
