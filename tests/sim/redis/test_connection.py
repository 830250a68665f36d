"""The model of a connection gives the same replies as the server."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.checkers.clients.commands import plain
from sim.checkers.clients.connections import is_like
from sim.nodes.client import SimClient
from sim.redis.connection import ANY, BLOCKS, NOTHING, ConnectionModel
from sim.redis.state import CommandFailure

PIPELINES = [
    "ECHO a; PING; PING b; SADD k x; SELECT 0; SELECT 1; NOSUCH; GET; SETRANGE k -1 x",
    "CLIENT REPLY OFF; ECHO a; GET; CLIENT REPLY SKIP; CLIENT REPLY ON; ECHO b",
    "CLIENT REPLY SKIP; ECHO a; ECHO b; CLIENT REPLY SKIP; CLIENT REPLY ON; ECHO c",
    "CLIENT REPLY SKIP; CLIENT REPLY SKIP; ECHO a; ECHO b; CLIENT REPLY SKIP; RESET; ECHO c",
    "CLIENT REPLY OFF; RESET; ECHO a; CLIENT SETNAME n; CLIENT GETNAME; RESET; CLIENT GETNAME",
    "MULTI; MULTI; ECHO a; WATCH k; SADD k x; BLPOP l 0; SETRANGE k -1 x; EXEC; EXEC; DISCARD",
    "MULTI; NOSUCH; ECHO a; EXEC; MULTI; GET; DISCARD; MULTI; ECHO b; EXEC; UNWATCH",
    "WATCH k; SADD k x; MULTI; ECHO a; EXEC; MULTI; ECHO b; EXEC",
    "WATCH k; SADD k x; UNWATCH; MULTI; ECHO a; EXEC; WATCH k; SADD k y; RESET; MULTI; EXEC",
    "WATCH k; MULTI; SADD k x; UNWATCH; EXEC; MULTI; ECHO a; RESET; EXEC; QUIT; ECHO b",
]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_replies_are_those_of_server(pipeline: str) -> None:
    instance = Instance(Replica(1), build_table(), rng=Random(0))
    instance.advance(1_000)
    commands = [tuple(text.split()) for text in pipeline.split("; ")]
    found = [plain(reply) for reply in SimClient(instance).send_commands(*commands)]
    model = ConnectionModel()
    expected: list[Any] = []
    for words in commands:
        reply = None if model.has_quit else model.run(words)
        if not model.has_quit or words[0] == "QUIT":
            expected += [] if model.is_hidden or reply is NOTHING else [reply]
    assert len(found) == len(expected)
    assert all(map(is_like, expected, found)), (expected, found)


def test_blocking_command_waits() -> None:
    assert ConnectionModel().run(("BLPOP", "k", "0")) == BLOCKS


def test_replies_about_server_are_not_predicted() -> None:
    for words in (("INFO",), ("CONFIG", "GET", "timeout"), ("CLIENT", "LIST")):
        assert ConnectionModel().run(words) is ANY


def test_exec_is_not_predicted_if_watched_key_may_have_changed() -> None:
    model = ConnectionModel(watched={"k"}, is_unsure=True)
    model.run(("MULTI",))
    assert model.run(("EXEC",)) is ANY


def test_transaction_writes_if_one_of_its_commands_does() -> None:
    model = ConnectionModel()
    model.run(("MULTI",))
    assert not model.writes(("EXEC",))
    model.run(("SADD", "k", "x"))
    model.run(("ECHO", "a"))
    assert model.writes(("EXEC",))
    assert model.writes(("BLPOP", "k", "0"))
    assert not model.writes(("PING",))
    assert isinstance(model.run(("MULTI",)), CommandFailure)
