"""What dirties a WATCH."""

from __future__ import annotations

from crdb.resp import reply
from crdb.server.client import Client
from crdb.server.executor import receive
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions

NULL_ARRAY = b"*-1\r\n"


def outcome(client: Client) -> bytes:
    """What EXEC of one PING gives."""
    return lines(client, "MULTI", "PING", "EXEC")[-1]


def test_a_write_of_another_client_does() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(client, "WATCH k")
    lines(other, "SET k 1")
    assert outcome(client) == NULL_ARRAY
    assert outcome(client) == b"*1\r\n" + reply.PONG


def test_ones_own_write_before_multi_does() -> None:
    client = Client(instance())
    lines(client, "WATCH k", "SET k 1")
    assert outcome(client) == NULL_ARRAY


def test_a_write_to_another_key_does_not() -> None:
    database = instance()
    client = Client(database)
    lines(client, "WATCH k")
    lines(Client(database), "SET l 1")
    assert outcome(client) != NULL_ARRAY


def test_a_write_and_its_removal_do() -> None:
    database = instance()
    client = Client(database)
    lines(client, "WATCH k")
    lines(Client(database), "SET k 1", "DEL k")
    assert outcome(client) == NULL_ARRAY


def test_unwatch_and_discard_forget() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(client, "WATCH k k l", "UNWATCH")
    lines(other, "SET k 1")
    assert outcome(client) != NULL_ARRAY
    lines(client, "WATCH k", "MULTI", "DISCARD")
    lines(other, "SET k 2")
    assert outcome(client) != NULL_ARRAY
    assert database.keyspace.interest == set()


def test_what_came_from_another_region_does() -> None:
    """Rule TXN-3, D-16."""
    regions = Regions(2)
    regions.run(2, "WATCH", "k")
    regions.run(1, "SET", "k", "v")
    regions.sync()
    assert outcome(regions.clients[2]) == NULL_ARRAY


def test_a_key_that_runs_out_of_time_does() -> None:
    database = instance()
    client = Client(database)
    lines(client, "SET k v PX 100", "WATCH k")
    database.advance(NOW + 101)
    assert outcome(client) == NULL_ARRAY


def test_a_key_that_had_run_out_before_may_be_removed() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(client, "SET k v PX 100")
    database.advance(NOW + 101)
    lines(client, "WATCH k")
    lines(other, "DEL k")
    assert outcome(client) != NULL_ARRAY
    lines(other, "SET k v PX 100")
    database.advance(NOW + 202)
    lines(client, "WATCH k")
    lines(other, "DEL k", "SET k w")
    assert outcome(client) == NULL_ARRAY


def test_nothing_is_watched_once_it_is_dirty() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(client, "WATCH k")
    lines(other, "SET k 1")
    lines(client, "WATCH l")
    assert list(client.watched) == [b"k"]


def test_two_may_watch_one_key() -> None:
    database = instance()
    first, second, other = (Client(database) for _ in range(3))
    lines(first, "WATCH k")
    lines(second, "WATCH k")
    first.leave()
    lines(other, "SET k 1")
    assert receive(second, b"MULTI\r\nEXEC\r\n") == b"+OK\r\n" + NULL_ARRAY
    assert database.watching.by_key == {}
