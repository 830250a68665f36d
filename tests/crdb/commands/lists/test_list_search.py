"""Searches of long lists in slices: the same replies and results as in one step."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import WORKING
from tests.crdb.raw import instance, lines

COMMANDS = (
    "LPOS l 3",
    "LPOS l 299",
    "LPOS l 3 RANK 2",
    "LPOS l 3 RANK -1",
    "LPOS l 3 RANK -3 COUNT 2",
    "LPOS l 3 COUNT 0",
    "LPOS l 3 COUNT 0 MAXLEN 100",
    "LPOS l 3 COUNT 0 RANK -1 MAXLEN 230",
    "LPOS l none",
    "LINSERT l BEFORE 3 x",
    "LINSERT l AFTER 250 x",
    "LINSERT l AFTER none x",
    "LREM l 0 3",
    "LREM l 2 3",
    "LREM l -2 3",
    "LREM l 0 none",
)


def long_list(items: int) -> Instance:
    """Return an instance with slices of `items` items, and a list of 300 elements."""
    database = instance()
    for start in range(0, 300, 100):
        texts = [str(n) if n > 9 else "3" for n in range(start, start + 100)]
        lines(Client(database), f"RPUSH l {' '.join(texts)} 3")
    database.replica.seal()
    database.slices.items = items
    return database


def reply_to(database: Instance, request: str) -> bytes:
    """Run a command to its end. Return the reply."""
    client = Client(database)
    found = receive(client, request.encode() + b"\r\n")
    database.slices.finish_all()
    return found + receive(client, b"")


@pytest.mark.parametrize("command", COMMANDS)
def test_search_in_slices_is_the_same(command: str) -> None:
    whole, sliced = long_list(1000), long_list(1)
    assert reply_to(sliced, command) == reply_to(whole, command)
    sliced.slices.items = 1000
    assert reply_to(sliced, "LRANGE l 0 -1") == reply_to(whole, "LRANGE l 0 -1")


def test_long_search_lets_others_go_on() -> None:
    database = long_list(1)
    client = Client(database)
    run(client, b"LPOS l none\r\n")
    assert client.flags & WORKING
    assert receive(Client(database), b"PING\r\n") == b"+PONG\r\n"
    database.slices.finish_all()
    assert receive(client, b"") == b"$-1\r\n"
