"""GET and SET of HyperLogLogs."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import decode_replies, encode_request
from tests.crdb.raw import instance
from tests.crdb.regions import Regions

EMPTY = b"HYLL\x01\x00\x00\x00" + bytes(7) + b"\x80\x7f\xff"


def ask(client: Client, *words: bytes) -> object:
    [reply] = decode_replies(receive(client, encode_request(list(words))))
    return reply


@pytest.mark.rule("HLL-6")
def test_set_of_its_string_makes_one() -> None:
    client = Client(instance())
    ask(client, b"PFADD", b"h", b"a", b"b")
    text = ask(client, b"GET", b"h")
    assert isinstance(text, bytes)
    ask(client, b"SET", b"copy", text, b"EX", b"100")
    assert ask(client, b"PFCOUNT", b"copy") == 2
    assert ask(client, b"TTL", b"copy") == 100
    assert ask(client, b"SET", b"copy", EMPTY, b"KEEPTTL", b"GET") == text
    assert ask(client, b"TTL", b"copy") == 100
    assert ask(client, b"PFCOUNT", b"copy") == 0
    ask(client, b"SET", b"copy", EMPTY)
    assert ask(client, b"TTL", b"copy") == -1


@pytest.mark.rule("HLL-6")
def test_set_of_another_string_ends_it() -> None:
    regions = Regions()
    regions.run(1, "PFADD", "h", "a")
    regions.sync()
    regions.run(1, "SET", "h", "HYLL is no header")
    regions.run(2, "PFADD", "h", "b")
    regions.sync()
    assert regions.everywhere("GET", "h") == b"HYLL is no header"
    assert regions.run(2, "STRLEN", "h") == 17


@pytest.mark.rule("HLL-6")
def test_set_replaces_another_type() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "h", "a")
    regions.run(1, "SET", "h", EMPTY)
    regions.sync()
    assert regions.everywhere("PFCOUNT", "h") == 0
    assert regions.everywhere("GET", "h") == EMPTY
