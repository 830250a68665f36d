"""Changes that invalidate a WATCH."""

from __future__ import annotations

import shlex

import pytest

from crdb.engine.client import Client
from crdb.engine.clients.watch import RELEASED_AT_ONCE
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import WORKING
from crdb.resp import reply
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions

NULL_ARRAY = b"*-1\r\n"


def outcome(client: Client) -> bytes:
    """Return the reply to EXEC of one PING."""
    return lines(client, "MULTI", "PING", "EXEC")[-1]


def test_write_of_another_client_does() -> None:
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


@pytest.mark.parametrize("command", ["RENAME k k", "RENAMENX k k", "COPY k k"])
def test_key_that_is_renamed_to_itself_does_not(command: str) -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(other, "SET k 1", "PEXPIRE k 9000")
    lines(client, "WATCH k")
    lines(other, command)
    lines(client, command)
    assert outcome(client) == b"*1\r\n" + reply.PONG


def test_write_to_another_key_does_not() -> None:
    database = instance()
    client = Client(database)
    lines(client, "WATCH k")
    lines(Client(database), "SET l 1")
    assert outcome(client) != NULL_ARRAY


def test_write_and_its_removal_do() -> None:
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
    assert database.keyspace.watched_keys == set()


def test_watch_fires_for_remote_change() -> None:
    """Rule TXN-3, D-16."""
    regions = Regions(2)
    regions.run(2, "WATCH", "k")
    regions.run(1, "SET", "k", "v")
    regions.sync()
    assert outcome(regions.clients[2]) == NULL_ARRAY


def test_key_that_runs_out_of_time_does() -> None:
    database = instance()
    client = Client(database)
    lines(client, "SET k v PX 100", "WATCH k")
    database.advance(NOW + 101)
    assert outcome(client) == NULL_ARRAY


def test_key_that_had_run_out_before_may_be_removed() -> None:
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


def test_key_that_is_back_since_clock_was_set_back_does() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(client, "SET k v PX 100")
    database.advance(NOW + 5000)
    lines(client, "WATCH k")
    assert outcome(client) != NULL_ARRAY
    lines(client, "WATCH k")
    lines(other, "WATCH k missing")
    database.advance(NOW)
    assert outcome(client) == NULL_ARRAY
    lines(client, "WATCH k missing")
    assert outcome(client) != NULL_ARRAY
    assert outcome(other) == NULL_ARRAY


def test_key_that_was_away_while_clock_was_ahead_does() -> None:
    """Readers saw that the key was gone, and another region may have written to it meanwhile."""
    database = instance()
    client = Client(database)
    lines(client, "SET k v PX 100", "SET l v PX 9000", "WATCH k")
    database.advance(NOW + 5000)
    database.advance(NOW)
    assert outcome(client) == NULL_ARRAY
    lines(client, "WATCH l")
    database.advance(NOW + 5000)
    database.advance(NOW)
    assert outcome(client) != NULL_ARRAY


def test_touch_of_unwatched_key_does_nothing() -> None:
    database = instance()
    client = Client(database)
    lines(client, "WATCH k")
    database.watching.touch(b"other")
    assert outcome(client) != NULL_ARRAY


def test_removal_of_expired_key_goes_unnoticed_once() -> None:
    """The second change of a key that stays absent is a write that has been removed again."""
    database = instance()
    client = Client(database)
    lines(client, "SET k v PX 100")
    database.advance(NOW + 101)
    lines(client, "WATCH k")
    database.watching.touch(b"k")
    assert not client.dirty
    database.watching.touch(b"k")
    assert client.dirty
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


def watch_many(database: Instance, client: Client) -> list[bytes]:
    """Let a client watch more keys than are released at once, in slices. Return them."""
    database.slices.items = 100
    keys = [b"k%d" % index for index in range(RELEASED_AT_ONCE + 500)]
    assert lines(client, (b"WATCH " + b" ".join(keys)).decode()) == [b"+OK\r\n"]
    assert list(client.watched) == keys
    return keys


def test_many_watches_are_released_in_slices() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    keys = watch_many(database, client)
    lines(client, "UNWATCH")
    assert not client.watched
    assert len(database.watching.by_key) == len(keys)
    lines(client, "WATCH k1")
    lines(other, "SET k2 v")
    assert not client.dirty
    assert not database.slices.is_idle()
    while not database.slices.is_idle():
        database.slices.run_slice()
    assert list(database.watching.by_key) == [b"k1"]
    assert database.keyspace.watched() == {b"k1"}
    lines(other, "SET k1 v")
    assert outcome(client) == NULL_ARRAY


@pytest.mark.parametrize("change", ["SET k700 v", "PEXPIRE k700 5", "GET k700"])
def test_transaction_that_watches_many_keys_checks_them_in_slices(change: str) -> None:
    database = instance()
    client, other = Client(database), Client(database)
    lines(other, "SET k700 v")
    if change.startswith("PEXPIRE"):
        lines(other, change)
    watch_many(database, client)
    if change.startswith("SET"):
        lines(other, change)
    database.advance(NOW + 10)
    lines(client, "MULTI", "SET k v")
    run(client, b"EXEC\r\n")
    is_dirty = change.startswith("SET")
    assert (client.flags & WORKING == 0) == is_dirty
    reply = b"".join(client.out) if is_dirty else receive(client, b"")
    assert reply == (b"*1\r\n+OK\r\n" if change.startswith("GET") else NULL_ARRAY)
    assert not client.watched


def spelt(text: str) -> list[list[bytes]]:
    """Return the commands in a text, separated by bars."""
    requests = " | ".join(text.strip().splitlines()).split(" | ")
    return [[word.encode() for word in shlex.split(each)] for each in requests]


REMOTE = [
    ("SADD s a", "SADD s a", False),
    ("SADD s a", "SADD s b", True),
    ("SADD s a", "SREM s b", False),
    ("SADD s a", "SREM s a", True),
    ("SADD s a", "SADD s b | SREM s b", False),
    ("SADD s a", "DEL s | SADD s a", False),
    ("SADD s a", "DEL s | SADD s a | EXPIRE s 100", True),
    ("HSET s f v", "HSET s f v", False),
    ("HSET s f v", "HSET s f w", True),
    ("HSET s f 1 g 2", "HINCRBY s f 0 | HSET s g 2", False),
    ("HSET s f 1", "HINCRBY s f 1", True),
    ("HSET s f 1", "HDEL s f | HSET s f 1", False),
    ("HSET s f v g v", "HDEL s f", True),
    ("HINCRBY s f 1", "HSET s f 1", False),
    ("HINCRBY s f 1", "HDEL s f", True),
    ("ZADD s 1 a", "ZADD s 1 a", False),
    ("ZADD s 1 a", "ZINCRBY s 0 a", False),
    ("ZADD s 1 a", "ZINCRBY s 1 a", True),
    ("SET s v", "SET s v", False),
    ("SET s v", "SET s w", True),
    ("SET s v", "PERSIST s", False),
    ("SET s v", "EXPIRE s 100", True),
    ("SET s v EX 100", "PERSIST s", True),
    ("SET s 5", "INCRBY s 0", False),
    ("SET s 5", "INCR s", True),
    ("RPUSH s a", "RPUSH s b", True),
    ("RPUSH s a b", "LSET s 0 a", False),
    ("RPUSH s a b", "LSET s 0 x", True),
    ("RPUSH s a b", "LREM s 0 b", True),
    ("SET s v", "FLUSHALL", True),
    ("SET other v", "FLUSHALL", False),
    ("SET other v", "SET s v | DEL s", False),
]


@pytest.mark.parametrize("by_snapshot", [False, True])
@pytest.mark.parametrize(("before", "remote", "fires"), REMOTE)
def test_watch_fires_if_remote_change_is_visible(
    before: str, remote: str, fires: bool, by_snapshot: bool
) -> None:
    """An operation or a snapshot becomes visible as a whole (D-16)."""
    regions = Regions(2)
    regions.transaction(1, *spelt(before))
    regions.sync()
    regions.run(2, "WATCH", "s")
    regions.transaction(1, [b"MULTI"], *spelt(remote), [b"EXEC"])
    if by_snapshot:
        regions.merge(1, 2)
    else:
        regions.send(1, 2)
    assert (outcome(regions.clients[2]) == NULL_ARRAY) == fires


@pytest.mark.parametrize("by_snapshot", [False, True])
def test_write_that_loses_does_not(by_snapshot: bool) -> None:
    regions = Regions(2)
    regions.run(2, "SET", "k", "loses")
    regions.run(2, "LPUSH", "l", "a")
    regions.now += 10
    regions.run(1, "SET", "k", "wins")
    regions.run(1, "SADD", "l", "a")
    regions.run(1, "WATCH", "k", "l")
    if by_snapshot:
        regions.merge(2, 1)
    else:
        regions.send(2, 1)
    assert outcome(regions.clients[1]) != NULL_ARRAY


def test_all_that_was_lost_does() -> None:
    database = instance()
    clients = [Client(database), Client(database)]
    lines(clients[0], "SET k v", "WATCH k")
    lines(clients[1], "WATCH absent")
    database.replica.reset()
    database.serve_dirty_keys()
    assert [outcome(client) == NULL_ARRAY for client in clients] == [True, False]
