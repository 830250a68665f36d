"""Bytes in, bytes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.server.client import Client
from crdb.server.executor import BATCH_MAX, receive, run
from tests.crdb.raw import instance
from tests.crdb.redis_peer import request

commands = st.lists(
    st.lists(
        st.sampled_from([b"SET", b"get", b"INCR", b"DEL", b"MULTI", b"EXEC", b"FOO", b"k", b"l"])
        | st.binary(max_size=3),
        min_size=1,
        max_size=4,
    ),
    max_size=30,
)


@given(commands, st.integers(1, 40))
def test_cutting_the_stream_changes_no_reply(requests: list[list[bytes]], size: int) -> None:
    data = b"".join(map(request, requests))
    whole = receive(Client(instance()), data)
    client = Client(instance())
    pieces = [receive(client, data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join(pieces) == whole


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_bytes_leave_other_clients_alone(pieces: list[bytes]) -> None:
    database = instance()
    other = Client(database)
    receive(other, b"SET k v\r\n")
    hostile = Client(database)
    for piece in pieces:
        receive(hostile, piece)
    assert receive(other, b"PING\r\n") == b"+PONG\r\n"


def test_a_long_batch_lets_others_have_their_turn() -> None:
    database = instance()
    client = Client(database)
    run(client, b"PING\r\n" * (BATCH_MAX + 10))
    assert len(client.out) == BATCH_MAX
    assert database.woken == [client]
    run(client, b"")
    assert len(client.out) == BATCH_MAX + 10


def test_what_is_counted() -> None:
    database = instance()
    client = Client(database)
    receive(client, b"PING\r\nPING\r\nFOO\r\n")
    assert database.statistics.commands == 3
    assert database.statistics.input_bytes == client.received_bytes == 17
    run(client, b"PING\r\nECHO abc\r\n")
    assert client.output_bytes == 7 + 9


def test_who_lets_replies_pile_up_is_closed() -> None:
    database = instance(client_output_buffer_limit="normal 10000 0 0")
    client, other = Client(database), Client(database)
    receive(other, b"SET k " + b"x" * 1000 + b"\r\n")
    run(client, b"GET k\r\n" * 100)
    assert client.killed
    assert client.out == []
    assert database.statistics.dropped_output == 1
    assert not other.closing


def test_what_waits_to_be_sent_counts() -> None:
    database = instance(client_output_buffer_limit="normal 10000 0 0")
    client = Client(database)
    client.output_bytes = 9_990
    run(client, b"PING\r\n")
    assert not client.closing
    client.out.clear()
    run(client, b"PING\r\n")
    assert client.killed


def test_a_request_that_grows_too_long_is_closed() -> None:
    database = instance(client_query_buffer_limit="1mb", proto_max_bulk_len="4mb")
    client = Client(database)
    run(client, b"*2\r\n$4\r\nECHO\r\n$3000000\r\n")
    for _ in range(10):
        run(client, b"x" * 100_000)
    assert not client.closing
    run(client, b"x" * 100_000)
    assert client.killed
    assert database.statistics.dropped_query == 1


def test_touched_keys_are_served_before_the_next_request() -> None:
    """A remote operation that nobody announced still dirties a WATCH."""
    database = instance()
    client = Client(database)
    receive(client, b"WATCH k\r\n")
    database.keyspace.touched.append(b"k")
    assert receive(client, b"MULTI\r\nEXEC\r\n") == b"+OK\r\n*-1\r\n"


def test_the_last_command_of_a_mixed_pipeline_is_remembered() -> None:
    database = instance()
    client = Client(database)
    receive(client, b"GET k\r\nCONFIG RESETSTAT\r\n")
    assert client.last_command == b"config|resetstat"
    receive(client, b"CONFIG RESETSTAT\r\nGET k\r\n")
    assert client.last_command == b"get"


def test_calls_are_counted_before_another_command_can_ask() -> None:
    client = Client(instance())
    told = receive(client, b"PING\r\nPING\r\nECHO a\r\nINFO commandstats\r\n")
    assert b"cmdstat_ping:calls=2," in told
    assert b"cmdstat_echo:calls=1," in told
