"""CRDB.HELP."""

from __future__ import annotations

from crdb.commands.table import COMMANDS
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import Status
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def test_every_command_that_redis_does_not_have_is_explained() -> None:
    reply = decode(receive(Client(instance()), b"CRDB.HELP\r\n"))
    lines = [line.text.decode() for line in reply]
    assert all(isinstance(line, Status) for line in reply)
    for command in COMMANDS:
        name = command.name.decode()
        if name.startswith("crdb."):
            assert any(line.split()[0] == name.upper() for line in lines), name
    assert "CRDB.AWAIT vector milliseconds" in lines
    assert any(line.startswith("CRDB.LINK CUT") for line in lines)
