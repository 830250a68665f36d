"""The client as which a script runs its commands."""

from __future__ import annotations

from crdb.commands.scripting.script_client import ScriptClient
from tests.crdb.raw import instance


def test_it_is_no_connection() -> None:
    database = instance()
    client = ScriptClient(database)
    assert not client.can_block
    assert (database.clients, database.statistics.connections) == ({}, 0)
    assert client.address == b"lua"
