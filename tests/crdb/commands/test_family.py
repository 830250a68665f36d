"""Declarations of commands next to their handlers."""

from __future__ import annotations

import pytest

from crdb.commands.family import CommandFamily
from crdb.commands.table import COMMANDS
from crdb.engine.client import Client
from crdb.engine.command import CommandTable, DirectHandler
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp import reply
from crdt.embed.replica import Replica
from tests.crdb.redis_peer import decode


def answer(client: Client, _args: list[bytes]) -> None:
    """Reply with a number."""
    reply.integer(client.out, 7)


def test_declared_function_may_have_two_names() -> None:
    family = CommandFamily("set", since="2.0.0")
    first = family.declare("first", "key", "readonly", summary="Reads.")
    second = family.declare("second", summary="Does something.", since="3.0.0", group="hash")
    assert first(second(answer)) is answer
    found = list(family)
    assert [command.name for command in found] == [b"second", b"first"]
    assert [command.handler for command in found] == [answer, answer]
    facts = [(each.declaration.since, each.declaration.group) for each in found]
    assert facts == [("3.0.0", "hash"), ("2.0.0", "set")]


def test_container_passes_group_and_version_to_subcommands() -> None:
    family = CommandFamily("server")
    container = family.container("outer", since="4.0.0", summary="Contains.", group="hash")
    container.declare("inner", "value", summary="Answers.")(answer)
    container.declare_help(since="5.0.0")
    (outer,) = family
    inner = outer.subcommands[b"inner"]
    assert (inner.full_name, inner.arity) == (b"outer|inner", 3)
    assert (inner.declaration.since, inner.declaration.group) == ("4.0.0", "hash")
    assert outer.subcommands[b"help"].declaration.since == "5.0.0"
    client = Client(Instance(Replica(1), CommandTable(family)))
    assert receive(client, b"OUTER INNER x\r\n") == b":7\r\n"
    result = [line.text for line in decode(receive(client, b"OUTER HELP\r\n"))]
    assert result[1:] == [b"INNER value", b"    Answers.", b"HELP", b"    Print this help."]


def test_container_may_be_callable_alone() -> None:
    family = CommandFamily("server")
    family.container("outer", summary="Contains.", handler=answer)
    (outer,) = family
    assert outer.handler is answer
    assert outer.takes(1)


class Louder(DirectHandler):
    """Replies with another number than `answer`."""

    def run(self, client: Client, args: list[bytes]) -> None:
        reply.integer(client.out, 8)


@pytest.mark.interpreted("subclasses a compiled class")
def test_direct_handler_is_called_instead() -> None:
    family = CommandFamily("set")
    family.declare("number", summary="Answers.")(answer)
    client = Client(Instance(Replica(1), CommandTable(family)))
    assert receive(client, b"NUMBER\r\n") == b":7\r\n"
    family.call_directly(Louder())
    assert receive(client, b"NUMBER\r\n") == b":8\r\n"


def test_direct_handlers_do_what_handlers_do() -> None:
    requests = {b"get": b"GET k", b"set": b"SET k 5", b"incr": b"INCR k"}
    direct = {each.name: each.direct for each in COMMANDS if each.direct is not None}
    assert direct.keys() == requests.keys()
    clients = [Client(Instance(Replica(1), CommandTable(COMMANDS))) for _ in range(2)]
    for name in (b"set", b"incr", b"get", b"incr"):
        args = requests[name].split()
        found = clients[0].instance.commands.require(args)
        found.handler(clients[0], args)
        direct[name].run(clients[1], args)
        assert clients[0].out == clients[1].out
