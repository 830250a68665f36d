"""Declarations of commands next to their handlers."""

from __future__ import annotations

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.command import CommandTable
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
