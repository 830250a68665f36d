"""MULTI and EXEC as commands. `test_calls` tests longer exchanges."""

from __future__ import annotations

from crdb.engine.client import Client
from tests.crdb.raw import instance, lines
from tests.crdb.regions import Regions


def test_one_exec_is_one_operation_everywhere() -> None:
    """Rule TXN-2, D-16."""
    regions = Regions(2)
    regions.transaction(
        1, ["MULTI"], ["SET", "a", "1"], ["INCR", "a"], ["SADD", "s", "x"], ["EXEC"]
    )
    [op] = regions.replicas[1].since({})
    assert len(op.effects) == 3
    regions.sync()
    assert regions.everywhere("GET", "a") == b"2"


def test_failed_command_does_not_stop_transaction() -> None:
    client = Client(instance())
    replies = lines(client, "MULTI", "SET k v", "INCR k", "SET k w", "EXEC", "GET k")
    assert replies[-2] == (b"*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n")
    assert replies[-1] == b"$1\r\nw\r\n"
