"""SHUTDOWN, and commands that save."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp.decoder import ErrorReply
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def stoppable(copies: int) -> tuple[Instance, list[str]]:
    """Return an instance with a key that has other copies, and the list of reasons to stop."""
    database = instance()
    reasons: list[str] = []
    database.surroundings.request_stop = reasons.append
    database.surroundings.count_copies = lambda: copies
    receive(Client(database), b"SET k v\r\n")
    return database, reasons


def test_shutdown_succeeds_if_another_region_holds_all() -> None:
    database, reasons = stoppable(1)
    client = Client(database, b"127.0.0.1:5")
    assert receive(client, b"SHUTDOWN\r\n") == b""
    assert client.closing
    assert reasons == ["SHUTDOWN from 127.0.0.1:5"]


def test_shutdown_keeps_last_copy_by_default() -> None:
    database, reasons = stoppable(0)
    refused = decode(receive(Client(database), b"SHUTDOWN\r\n"))
    assert isinstance(refused, ErrorReply)
    assert b"no other region is known to hold everything" in refused.text
    assert reasons == []
    for word in (b"NOSAVE", b"now", b"FORCE", b"NOW FORCE"):
        receive(Client(database), b"SHUTDOWN " + word + b"\r\n")
    assert len(reasons) == 4


def test_empty_region_may_go() -> None:
    database, reasons = stoppable(0)
    receive(Client(database), b"DEL k\r\nSHUTDOWN\r\n")
    assert len(reasons) == 1


@pytest.mark.parametrize("command", ["SHUTDOWN SAVE", "SAVE", "BGSAVE", "BGREWRITEAOF"])
def test_saving_is_refused_with_reason(command: str) -> None:
    database, reasons = stoppable(1)
    reply = decode(receive(Client(database), command.encode() + b"\r\n"))
    assert reply == ErrorReply(
        b"ERR %b is not supported by crdb: data lives in memory only" % command.encode()
    )
    assert reasons == []


def test_without_driver_nothing_can_be_stopped() -> None:
    reply = decode(receive(Client(instance()), b"SHUTDOWN\r\n"))
    assert reply == ErrorReply(b"ERR this instance cannot be stopped by a client")


def test_nothing_was_ever_saved() -> None:
    assert receive(Client(instance()), b"LASTSAVE\r\n") == b":0\r\n"
