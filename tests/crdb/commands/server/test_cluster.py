"""CLUSTER, READONLY and READWRITE."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def test_help_lists_subcommands() -> None:
    reply = decode(receive(Client(instance()), b"CLUSTER HELP\r\n"))
    assert reply[0].text.startswith(b"CLUSTER <subcommand>")


def test_cluster_commands_are_refused() -> None:
    refusal = b"-ERR This instance has cluster support disabled\r\n"
    assert receive(Client(instance()), b"CLUSTER INFO\r\n") == refusal
    assert receive(Client(instance()), b"READONLY\r\n") == refusal
