"""Commands of features that are absent."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


@pytest.mark.parametrize("container", [b"MODULE"])
def test_help(container: bytes) -> None:
    reply = decode(receive(Client(instance()), container + b" HELP\r\n"))
    assert reply[0].text.startswith(container + b" <subcommand>")


def test_lolwut_shows_version() -> None:
    assert decode(receive(Client(instance()), b"LOLWUT VERSION 5\r\n")) == b"Redis ver. 7.2.6\n"
