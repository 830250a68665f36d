"""Polling for blocked clients: retried in time, and served once."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.clients.blocking import Waiter
from crdb.engine.clients.polling import FAST_POLLS, POLL_MS, SLOW_POLL_MS
from crdb.resp import reply
from tests.crdb.raw import NOW, instance, lines


def wait(client: Client, done: list[bool], ms: int = 100) -> Waiter:
    """Let `client` wait until something is in `done`."""

    def attempt() -> bool:
        if done:
            reply.integer(client.out, 1)
        return bool(done)

    waiter = Waiter(client, NOW + ms, attempt, lambda: reply.integer(client.out, 0))
    client.instance.polling.add(waiter, NOW)
    return waiter


def test_client_waits_until_what_it_waits_for_is_there() -> None:
    database = instance()
    client = Client(database)
    done: list[bool] = []
    wait(client, done)
    assert client.blocked
    database.polling.poll(NOW + 20)
    assert not database.woken
    done.append(True)
    database.polling.poll(NOW + 30)
    assert client.out == [b":1\r\n"]
    assert not client.blocked
    database.polling.poll(NOW + 40)
    assert database.woken == [client]


def test_client_served_at_timeout_gets_no_timeout() -> None:
    database = instance()
    late, served = Client(database), Client(database)
    wait(late, [])
    wait(served, [True])
    database.advance(NOW + 100)
    database.tick()
    assert (late.out, served.out) == ([b":0\r\n"], [b":1\r\n"])


def test_it_looks_every_few_milliseconds_and_later_less_often() -> None:
    database = instance()
    polling, client = database.polling, Client(database)
    assert polling.deadline is None
    wait(client, [])
    assert polling.deadline == NOW + POLL_MS
    for look in range(FAST_POLLS):
        polling.poll(NOW + look)
    assert polling.deadline == NOW + FAST_POLLS - 1 + SLOW_POLL_MS
    client.leave()
    assert polling.deadline is None


def test_remote_ops_serve_local_waiters() -> None:
    database = instance()
    asking, other = Client(database), Client(database)
    wait(asking, [True]).asks_peers = True
    wait(other, [True])
    database.serve_dirty_keys()
    assert database.woken == [other]
    assert asking.blocked


def test_bug_in_looking_hurts_only_client_that_waits() -> None:
    database = instance()
    broken, other = Client(database), Client(database)

    def stumble() -> bool:
        raise ZeroDivisionError

    database.polling.add(Waiter(broken, NOW + 100, stumble, broken.out.clear), NOW)
    wait(other, [True])
    database.polling.poll(NOW + 1)
    assert broken.closing
    assert other.out == [b":1\r\n"]
    assert database.woken == [broken, other]


def test_client_is_unblocked_with_timeout_or_error() -> None:
    database = instance()
    first, second, other = (Client(database) for _ in range(3))
    wait(first, [])
    wait(second, [])
    assert lines(other, f"CLIENT UNBLOCK {first.id}", f"CLIENT UNBLOCK {second.id} ERROR") == [
        b":1\r\n",
        b":1\r\n",
    ]
    assert first.out == [b":0\r\n"]
    assert b"".join(second.out) == b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
    assert not first.blocked
    assert database.polling.deadline is None
