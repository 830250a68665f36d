"""FUNCTION and SCRIPT without scripts."""

from __future__ import annotations

import pytest

from crdb.commands.server.scripting import EMPTY_DUMP
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import ErrorReply, Status
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


@pytest.mark.parametrize("command", ["FUNCTION LOAD x", "SCRIPT LOAD x", "SCRIPT DEBUG YES"])
def test_loading_is_refused_with_reason(command: str) -> None:
    reply = decode(receive(Client(instance()), command.encode() + b"\r\n"))
    assert reply.text.endswith(b"is not supported by crdb: there are no scripts yet")


def test_empty_dump_can_be_restored() -> None:
    client = Client(instance())
    assert decode(receive(client, b"FUNCTION DUMP\r\n")) == EMPTY_DUMP
    request = b"*3\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$%d\r\n%b\r\n"
    assert decode(receive(client, request % (len(EMPTY_DUMP), EMPTY_DUMP))) == Status(b"OK")
    assert isinstance(decode(receive(client, request % (1, b"x"))), ErrorReply)


def test_nothing_runs_and_there_is_no_engine() -> None:
    client = Client(instance())
    answer = decode(receive(client, b"FUNCTION STATS\r\n"))
    assert answer == [b"running_script", None, b"engines", []]


@pytest.mark.parametrize("container", [b"FUNCTION", b"SCRIPT"])
def test_help(container: bytes) -> None:
    answer = decode(receive(Client(instance()), container + b" HELP\r\n"))
    assert answer[0].text.startswith(container + b" <subcommand>")
