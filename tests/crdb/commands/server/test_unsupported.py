"""Commands of features that are absent."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode


@pytest.mark.parametrize("container", [b"MODULE"])
def test_help(container: bytes) -> None:
    reply = decode(receive(Client(instance()), container + b" HELP\r\n"))
    assert reply[0].text.startswith(container + b" <subcommand>")


def test_lolwut_shows_version() -> None:
    assert decode(receive(Client(instance()), b"LOLWUT VERSION 5\r\n")) == b"Redis ver. 7.2.6\n"


@pytest.mark.parametrize("arguments", ["", " TO 127.0.0.1 6379 FORCE TIMEOUT 1", " ABORT"])
def test_failover_is_refused_with_reason(arguments: str) -> None:
    [refused] = lines(Client(instance()), f"FAILOVER{arguments}")
    assert refused.startswith(b"-ERR FAILOVER is not supported by crdb: every region accepts")
