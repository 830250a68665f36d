"""PUBLISH, SPUBLISH and PUBSUB: what the comparison with a real server cannot show."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.command import DENY_LOADING
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from tests.crdb.raw import instance, lines


def message(channel: str, payload: str, *, resp3: bool = False, kind: str = "message") -> bytes:
    """Return a message as a subscriber receives it."""
    texts = "".join(f"${len(text)}\r\n{text}\r\n" for text in (kind, channel, payload))
    return f"{'>' if resp3 else '*'}3\r\n{texts}".encode()


def test_own_message_follows_reply() -> None:
    client = Client(instance())
    lines(client, "HELLO 3", "SUBSCRIBE a")
    assert lines(client, "PUBLISH a one") == [b":1\r\n" + message("a", "one", resp3=True)]


def test_own_messages_of_transaction_follow_its_reply() -> None:
    client = Client(instance())
    lines(client, "HELLO 3", "SUBSCRIBE a", "MULTI", "PUBLISH a one", "PUBLISH a two", "GET k")
    messages = message("a", "one", resp3=True) + message("a", "two", resp3=True)
    assert lines(client, "EXEC") == [b"*3\r\n:1\r\n:1\r\n_\r\n" + messages]


def test_messages_wait_for_end_of_long_reply() -> None:
    database = instance()
    database.slice_items = 10
    client, other = Client(database), Client(database)
    lines(client, "HELLO 3", "SUBSCRIBE a")
    receive(other, b"RPUSH l " + b" ".join(b"%d" % n for n in range(40)) + b"\r\n")
    run(client, b"LRANGE l 0 -1\r\n")
    lines(other, "PUBLISH a one")
    while not database.slices.is_idle():
        database.slices.run_slice()
    replies = b"".join(client.out)
    assert replies.startswith(b"*40\r\n")
    assert replies.endswith(b"$2\r\n39\r\n" + message("a", "one", resp3=True))


def test_replies_that_are_off_do_not_concern_messages() -> None:
    database = instance()
    client = Client(database)
    off = lines(client, "HELLO 3", "CLIENT REPLY OFF", "SUBSCRIBE a", "PUBLISH a one", "PING")
    assert off[2:] == [
        b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        message("a", "one", resp3=True),
        b"",
    ]


def many(database: Instance, count: int, name: bytes = b"a") -> list[Client]:
    """Return clients that subscribe to a channel."""
    clients = [Client(database) for _ in range(count)]
    for client in clients:
        receive(client, b"SUBSCRIBE %b\r\n" % name)
    return clients


def test_many_receivers_get_messages_in_slices_and_in_order() -> None:
    database = instance()
    clients = many(database, 600)
    publisher = Client(database)
    assert lines(publisher, "PUBLISH a one", "PUBLISH a two", "PUBLISH b x") == [
        b":600\r\n",
        b":600\r\n",
        b":0\r\n",
    ]
    slices = 0
    while not database.slices.is_idle():
        database.slices.run_slice()
        slices += 1
    assert slices == 5
    expected = message("a", "one") + message("a", "two")
    assert all(b"".join(client.out) == expected for client in clients)


def test_message_is_encoded_once_for_all() -> None:
    database = instance()
    clients = many(database, 10)
    lines(Client(database), "PUBLISH a one")
    assert len({id(client.out[0]) for client in clients}) == 1


def test_what_waits_comes_before_confirmation() -> None:
    database = instance()
    clients = many(database, 300)
    lines(Client(database), "PUBLISH a one")
    (reply,) = lines(clients[-1], "UNSUBSCRIBE a")
    assert reply == message("a", "one") + b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"
    clients[-2].leave()
    while not database.slices.is_idle():
        database.slices.run_slice()
    assert [b"".join(client.out) for client in clients[-3:]] == [message("a", "one"), b"", b""]


def test_publisher_waits_while_queue_is_full() -> None:
    database = instance()
    database.hub.queue_max = 500
    clients = many(database, 300)
    publisher = Client(database)
    run(publisher, b"PUBLISH a 1\r\nPUBLISH a 2\r\nPUBLISH a 3\r\nSPUBLISH a 4\r\n")
    assert b"".join(publisher.out) == b":300\r\n:300\r\n"
    assert receive(publisher, b"") == b":300\r\n:300\r\n:300\r\n:0\r\n"
    while not database.slices.is_idle():
        database.slices.run_slice()
    expected = b"".join(message("a", str(number)) for number in (1, 2, 3))
    assert all(b"".join(client.out) == expected for client in clients)


def test_many_patterns_are_compared_in_slices() -> None:
    database = instance()
    database.slice_items = 10
    client, publisher = Client(database), Client(database)
    receive(client, b"PSUBSCRIBE " + b" ".join(b"a*%d" % n for n in range(40)) + b"\r\n")
    run(publisher, b"PUBLISH a1 x\r\n")
    assert publisher.out == []
    assert receive(publisher, b"") == b":1\r\n"
    assert b"".join(client.out).count(b"pmessage") == 1


def test_read_only_instance_keeps_messages_to_itself() -> None:
    database = instance()
    client = many(database, 1)[0]
    database.refuse_writes = b"READONLY x"
    assert lines(Client(database), "PUBLISH a one", "SPUBLISH a two") == [b":1\r\n", b":0\r\n"]
    assert b"".join(client.out) == message("a", "one")
    assert database.keyspace.pending_count() == 0


def test_instance_that_lacks_its_data_keeps_messages_to_itself() -> None:
    """A region made operations of its own once, before it had caught up with its peers."""
    database = instance()
    client = many(database, 1)[0]
    database.refuse(DENY_LOADING, b"LOADING x")
    assert lines(Client(database), "PUBLISH a one", "SPUBLISH a two") == [b":1\r\n", b":0\r\n"]
    assert b"".join(client.out) == message("a", "one")
    assert database.keyspace.pending_count() == 0


def test_pause_of_writes_delays_messages() -> None:
    database = instance()
    client, publisher = many(database, 1)[0], Client(database)
    assert lines(publisher, "CLIENT PAUSE 100 WRITE", "PUBLISH a one") == [b"+OK\r\n", b""]
    assert client.out == []
    database.advance(database.now + 200)
    database.tick()
    assert receive(publisher, b"") == b":1\r\n"


def test_channels_are_listed_in_slices() -> None:
    database = instance()
    database.slice_items = 10
    client = Client(database)
    names = [b"c%d" % n for n in range(40)]
    lines(client, "HELLO 3")
    receive(client, b"SUBSCRIBE " + b" ".join(names) + b"\r\n")
    (every,) = lines(client, "PUBSUB CHANNELS")
    assert every.startswith(b"*40\r\n")
    assert all(name in every for name in names)
    assert lines(client, "PUBSUB CHANNELS c3")[0] == b"*1\r\n$2\r\nc3\r\n"
    assert lines(client, "PUBSUB NUMSUB c3 x") == [b"*4\r\n$2\r\nc3\r\n:1\r\n$1\r\nx\r\n:0\r\n"]
