"""The simulated client: requests and replies are bytes of the Redis protocol."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.nodes.client import (
    Refusal,
    SimClient,
    encode_request,
    parse_fields,
    parse_replies,
)


@pytest.fixture
def sim_client() -> SimClient:
    return SimClient(Instance(Replica(1), build_table(), name="eu", rng=Random(0)))


def test_request_is_array_of_bulk_strings() -> None:
    assert (
        encode_request(["SET", b"k\r\n", 12]) == b"*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n12\r\n"
    )


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+OK\r\n", "OK"),
        (b"-ERR no\r\n", Refusal("ERR no")),
        (b":-7\r\n", -7),
        (b"$4\r\na\r\nb\r\n", b"a\r\nb"),
        (b"$0\r\n\r\n", b""),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*0\r\n", []),
        (b"*2\r\n*1\r\n:1\r\n$-1\r\n", [[1], None]),
    ],
)
def test_every_reply_is_understood(data: bytes, reply: object) -> None:
    assert parse_replies(data) == [reply]
    assert parse_replies(data * 2) == [reply, reply]


def test_line_has_fields() -> None:
    assert parse_fields("id=3 name= lib=a=b\n") == {"id": "3", "name": "", "lib": "a=b"}
    assert parse_fields("ip=eu,lag=0 s", ",") == {"ip": "eu", "lag": "0 s"}


def test_invalid_reply_is_error() -> None:
    with pytest.raises(ValueError, match="no reply"):
        parse_replies(b"?\r\n")


def test_commands_run_and_are_answered(sim_client: SimClient) -> None:
    assert sim_client.send_commands(("SADD", "s", "a", "b")) == [2]
    assert sim_client.send_commands(("SET", "k", 5), ("INCR", "k"), ("NOSUCH",))[:2] == ["OK", 6]
    (refused,) = sim_client.send_commands(("INCR", "s"))
    assert isinstance(refused, Refusal)
    assert refused.text.startswith("WRONGTYPE")


def test_command_that_waits_has_no_reply_yet(sim_client: SimClient) -> None:
    assert sim_client.send_commands(("BLPOP", "q", 0)) == []
    assert sim_client.send_commands(("PING",)) == []
