"""SUBSCRIBE, its variants and opposites: what the comparison with a real server cannot show."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import SUBSCRIBED
from tests.crdb.raw import instance, lines


def test_resp2_refuses_commands_that_resp3_allows() -> None:
    client = Client(instance())
    assert lines(client, "HELLO 3", "SUBSCRIBE a", "GET k")[1:] == [
        b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        b"_\r\n",
    ]
    refused = lines(client, "HELLO 2", "GET k", "PING")[1:]
    assert refused[0].startswith(b"-ERR Can't execute 'get': only (P|S)SUBSCRIBE")
    assert refused[1] == b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"


def test_reset_and_disconnect_end_all_subscriptions() -> None:
    database = instance()
    one, two, publisher = (Client(database) for _ in range(3))
    lines(one, "SUBSCRIBE a", "PSUBSCRIBE a*", "SSUBSCRIBE a", "RESET")
    lines(two, "SUBSCRIBE a", "PSUBSCRIBE a*", "SSUBSCRIBE a")
    two.leave()
    replies = lines(publisher, "PUBLISH a x", "SPUBLISH a x", "PUBSUB NUMPAT", "PUBSUB CHANNELS")
    assert replies == [b":0\r\n", b":0\r\n", b":0\r\n", b"*0\r\n"]
    assert one.out == two.out == []
    assert one.flags == 0
    assert one.subscriptions is None


def test_many_names_of_closed_client_are_released_in_slices() -> None:
    database = instance()
    database.slice_items = 500
    client, other = Client(database), Client(database)
    receive(client, b"SUBSCRIBE " + b" ".join(b"c%d" % n for n in range(3000)) + b"\r\n")
    subscribers = database.hub.subscribers
    assert subscribers.channels() == 3000
    client.leave()
    assert subscribers.channels() == 2000
    assert lines(other, "PUBLISH c0 x", "SUBSCRIBE c0") == [
        b":1\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n$2\r\nc0\r\n:1\r\n",
    ]
    while not database.slices.is_idle():
        database.slices.run_slice()
    assert subscribers.channels() == 1


def test_names_count_as_memory_of_client() -> None:
    client = Client(instance())
    before = client.memory_bytes
    receive(client, b"SUBSCRIBE " + b"x" * 1000 + b"\r\n")
    assert before + 1000 < client.memory_bytes < before + 1200
    receive(client, b"UNSUBSCRIBE\r\n")
    assert client.memory_bytes == before


def test_client_list_shows_subscriptions() -> None:
    client = Client(instance())
    lines(client, "HELLO 3", "SUBSCRIBE a b", "PSUBSCRIBE p", "SSUBSCRIBE s t u")
    (line,) = lines(client, "CLIENT LIST TYPE pubsub")
    assert b" flags=P db=0 sub=2 psub=1 ssub=3 " in line
    assert lines(client, "CLIENT LIST TYPE normal") == [b"=4\r\ntxt:\r\n"]


def test_limit_of_output_is_that_of_subscribers() -> None:
    database = instance(client_output_buffer_limit="normal 0 0 0 pubsub 2000 0 0")
    client, publisher = Client(database), Client(database)
    receive(client, b"SUBSCRIBE a\r\n")
    for _ in range(100):
        receive(publisher, b"PUBLISH a " + b"x" * 40 + b"\r\n")
    assert client.killed
    assert database.statistics.dropped_output == 1
    client.leave()
    assert lines(publisher, "PUBLISH a x") == [b":0\r\n"]


def test_limit_of_output_is_that_of_normal_clients_again() -> None:
    database = instance(client_output_buffer_limit="normal 0 0 0 pubsub 2000 0 0")
    client = Client(database)
    limits = [client.output_limit]
    for request in ("SUBSCRIBE a", "UNSUBSCRIBE", "PSUBSCRIBE a", "RESET"):
        lines(client, request)
        limits.append(client.output_limit)
    assert limits == [limits[0], 2000, limits[0], 2000, limits[0]]


def test_idle_subscriber_is_not_closed() -> None:
    database = instance(timeout="1")
    client, other = Client(database), Client(database)
    receive(client, b"SUBSCRIBE a\r\n")
    receive(other, b"PING\r\n")
    database.advance(database.now + 5000)
    database.tick()
    assert not client.killed
    assert other.killed


def test_closed_client_of_long_transaction_does_not_subscribe() -> None:
    database = instance()
    database.slice_items = 2
    client = Client(database)
    receive(client, b"MULTI\r\nMSET a 1 b 2\r\nMSET c 3 d 4\r\nSUBSCRIBE a\r\n")
    run(client, b"EXEC\r\n")
    database.forget(client)
    while not database.slices.is_idle():
        database.slices.run_slice()
    assert database.keyspace.size() == 4
    assert database.hub.subscribers.channels() == 0
    assert not client.flags & SUBSCRIBED
