"""Blocked clients: their order, and how they are unblocked."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.clients.blocking import STALE_MAX
from crdb.engine.errors import WRONG_TYPE, CommandError
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import POSTPONED, Session
from crdb.resp import reply
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions
from tests.crdb.waiters import Waiters

POPPED = b"*2\r\n$1\r\nl\r\n$1\r\n%b\r\n"


def test_first_blocked_clients_are_served_first() -> None:
    database = instance()
    waiters = [Client(database) for _ in range(3)]
    for waiter in waiters:
        assert lines(waiter, "BLPOP l 0") == [b""]
    lines(Client(database), "RPUSH l a b")
    replies = [receive(waiter, b"") for waiter in waiters]
    assert replies == [POPPED % b"a", POPPED % b"b", b""]
    assert [waiter.blocked for waiter in waiters] == [False, False, True]


def test_woken_client_pops_from_first_key_that_exists() -> None:
    """As in Redis 7.2, the whole command runs again. Redis 7.0 pops from the key that wakes it."""
    database = instance()
    first, later = Client(database), Client(database)
    lines(first, "BRPOP l 0")
    lines(later, "BLPOP l m 0")
    lines(Client(database), "MULTI", "RPUSH m b", "RPUSH l a", "EXEC")
    assert receive(later, b"") == POPPED % b"a"
    assert receive(first, b"") == b""
    lines(Client(database), "RPUSH l c")
    assert receive(first, b"") == POPPED % b"c"


def test_value_of_other_type_wakes_no_client() -> None:
    """The string does not wake the later client, which would pop the element of the first."""
    database = instance()
    first, later = Client(database), Client(database)
    lines(first, "BLPOP m 0")
    lines(later, "BLPOP l m 0")
    lines(Client(database), "MULTI", "SET l s", "RPUSH m b", "EXEC")
    assert receive(first, b"") == POPPED.replace(b"l", b"m") % b"b"
    assert receive(later, b"") == b""


def test_any_writer_serves_blocked_clients() -> None:
    database = instance()
    mover, waiter = Client(database), Client(database)
    lines(mover, "BLMOVE a l LEFT RIGHT 0")
    lines(waiter, "BLPOP l 0")
    lines(Client(database), "RPUSH a x")
    assert receive(mover, b"") == b"$1\r\nx\r\n"
    assert receive(waiter, b"") == POPPED % b"x"


def test_exec_ends_before_clients_are_served() -> None:
    database = instance()
    waiter = Client(database)
    lines(waiter, "BLPOP l 0")
    lines(Client(database), "MULTI", "RPUSH l a", "DEL l", "EXEC")
    assert receive(waiter, b"") == b""
    lines(Client(database), "MULTI", "RPUSH l a", "LPUSH l b", "EXEC")
    assert receive(waiter, b"") == POPPED % b"b"


def test_requests_behind_blocked_one_wait() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    assert receive(client, b"BLPOP l 0\r\nPING\r\n") == b""
    assert receive(client, b"ECHO a\r\n") == b""
    lines(other, "RPUSH l v")
    assert receive(client, b"") == POPPED % b"v" + b"+PONG\r\n$1\r\na\r\n"


def test_reply_that_is_to_be_skipped_is_skipped_when_it_comes() -> None:
    database = instance()
    client = Client(database)
    assert lines(client, "CLIENT REPLY SKIP", "BLPOP l 0", "PING") == [b"", b"", b""]
    lines(Client(database), "RPUSH l v")
    assert receive(client, b"") == b"+PONG\r\n"


def test_time_runs_out() -> None:
    database = instance()
    client = Client(database)
    lines(client, "BLPOP l m 0.5")
    assert database.blocked.deadline == NOW + 500
    database.advance(NOW + 499)
    database.tick()
    assert receive(client, b"") == b""
    database.advance(NOW + 500)
    database.tick()
    assert receive(client, b"") == b"*-1\r\n"
    assert database.blocked.deadline is None
    assert database.keyspace.watched_keys == set()


def test_deadline_that_was_met_is_forgotten() -> None:
    database = instance()
    client = Client(database)
    lines(client, "BLPOP l 0.5")
    lines(Client(database), "RPUSH l a")
    receive(client, b"")
    lines(client, "BLPOP l 0")
    database.advance(NOW + 1000)
    database.tick()
    assert client.blocked


def test_deadlines_of_unblocked_clients_do_not_pile_up() -> None:
    database = instance()
    client, pusher = Client(database), Client(database)
    patient = Client(database)
    lines(patient, "BLPOP other 1800")
    for _ in range(10 * STALE_MAX):
        lines(client, "BLPOP l 3600")
        lines(pusher, "RPUSH l a")
        receive(client, b"")
        assert len(database.blocked.deadlines) <= STALE_MAX + 4
    assert database.blocked.deadline == NOW + 1_800_000
    database.advance(NOW + 1_800_000)
    database.tick()
    assert receive(patient, b"") == b"*-1\r\n"


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000])
def test_set_wall_clock_does_not_change_timeouts(step: int) -> None:
    database = instance()
    client = Client(database)
    lines(client, "BLPOP l 1")
    database.advance(NOW + 999, NOW + 999 + step)
    assert database.deadline <= NOW + 1000
    database.tick()
    assert client.blocked
    database.advance(NOW + 1000, NOW + 1000 + step)
    database.tick()
    assert receive(client, b"") == b"*-1\r\n"
    assert database.keyspace.now == NOW + 1000 + step


def test_leaving_clients_are_unblocked() -> None:
    database = instance()
    client = Client(database)
    lines(client, "BLPOP l m 1")
    client.leave()
    client.leave()
    lines(Client(database), "RPUSH l a")
    assert database.blocked.by_client == database.blocked.by_key == {}
    assert database.keyspace.size() == 1


def test_unblock() -> None:
    database = instance()
    first, second, other = (Client(database) for _ in range(3))
    lines(first, "BLPOP l 0")
    lines(second, "BLPOP l 0")
    assert lines(other, f"CLIENT UNBLOCK {first.id}", f"CLIENT UNBLOCK {second.id} ERROR") == [
        b":1\r\n",
        b":1\r\n",
    ]
    assert receive(first, b"") == b"*-1\r\n"
    assert receive(second, b"") == b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
    assert lines(other, f"CLIENT UNBLOCK {first.id}", "CLIENT UNBLOCK 777") == [b":0\r\n"] * 2


def test_waiters_for_keys_can_be_refused_together() -> None:
    database = instance()
    first, second, bystander, keyless = (Client(database) for _ in range(4))
    lines(first, "BLPOP l 0")
    lines(second, "BLMOVE l m LEFT LEFT 0")
    lines(keyless, "SET k v", "WAIT 1 1000")
    database.blocked.refuse_waiting(b"LOADING not now")
    for client in (first, second):
        assert receive(client, b"PING\r\n") == b"-LOADING not now\r\n" + reply.PONG
    assert list(database.blocked.by_client) == [keyless.id]
    assert receive(bystander, b"RPUSH l a\r\nLLEN l\r\n") == b":1\r\n" * 2


def test_muted_reply_covers_blocked_command() -> None:
    database = instance()
    client = Client(database)
    lines(client, "CLIENT REPLY OFF", "BLPOP l 0")
    lines(Client(database), "RPUSH l a")
    assert receive(client, b"CLIENT REPLY ON\r\n") == b"+OK\r\n"


def test_refusal_is_answer() -> None:
    database = instance()
    client = Client(database)

    def refuse() -> bool:
        client.out.append(b"*2\r\n")
        raise CommandError(WRONG_TYPE)

    client.block([b"k"], None, refuse)
    lines(Client(database), "SET k v")
    assert receive(client, b"") == b"-" + WRONG_TYPE + b"\r\n"


def test_bug_in_serving_closes_waiter_and_not_writer() -> None:
    database = instance()
    client, writer = Client(database), Client(database)

    def fail() -> bool:
        raise ZeroDivisionError

    client.block([b"k"], None, fail)
    assert lines(writer, "SET k v", "GET k") == [b"+OK\r\n", b"$1\r\nv\r\n"]
    assert client.closing
    assert not client.blocked
    assert not writer.closing


def test_driver_is_notified() -> None:
    database = instance()
    rings: list[int] = []
    database.on_wake = lambda: rings.append(1)
    client = Client(database)
    run(client, b"BLPOP l 0\r\n")
    run(Client(database), b"RPUSH l a\r\n")
    assert rings == [1]
    woken: list[Session] = [client]
    assert database.woken == woken


# -- keys that change elsewhere ----------------------------------------------------------------


@pytest.mark.parametrize("by_snapshot", [False, True])
@pytest.mark.rule("LST-10")
def test_any_arrival_of_element_serves(by_snapshot: bool) -> None:
    """An operation and a snapshot both serve a blocked client. A snapshot also dirties watched keys
    (D-16)."""
    regions = Regions(3)
    waiters = Waiters(regions)
    popping = waiters.block(2, "BLPOP", "l", "0")
    moving = waiters.block(2, "BLMOVE", "m", "n", "LEFT", "RIGHT", "0")
    least = waiters.block(2, "BZMPOP", "0", "2", "y", "z", "MIN")
    watching = waiters.connect(2)
    for words in (["WATCH", "s"], ["MULTI"], ["PING"]):
        waiters.send(watching, *words)
    regions.run(1, "SADD", "s", "a")
    regions.transaction(1, ["RPUSH", "l", "a", "b"], ["RPUSH", "m", "c"], ["ZADD", "z", "1", "d"])
    (regions.merge if by_snapshot else regions.send)(1, 2)
    assert waiters.replies(popping) == [[b"l", b"a"]]
    assert waiters.replies(moving) == [b"c"]
    assert waiters.replies(least) == [[b"z", [[b"d", b"1"]]]]
    assert waiters.send(watching, "EXEC") == b"*-1\r\n"
    regions.sync()
    assert regions.everywhere("LRANGE", "l", "0", "-1") == [b"b"]
    assert regions.everywhere("LRANGE", "n", "0", "-1") == [b"c"]
    assert regions.everywhere("EXISTS", "m", "z") == 0


def test_value_that_comes_to_light_serves() -> None:
    """Rule D-02: the string of region 1 hides the list of region 2 until it is deleted."""
    regions = Regions(3)
    waiters = Waiters(regions)
    waiter = waiters.block(3, "BLPOP", "k", "0")
    regions.run(1, "SET", "k", "text")
    regions.send(1, 3)
    regions.run(2, "RPUSH", "k", "a")
    regions.send(2, 3)
    assert waiters.replies(waiter) == []
    regions.run(1, "DEL", "k")
    regions.send(1, 3)
    assert waiters.replies(waiter) == [[b"k", b"a"]]
    regions.sync()
    assert regions.everywhere("EXISTS", "k") == 0


def test_element_gone_in_one_op_serves_no_client() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(2, "BLPOP", "l", "0")
    regions.transaction(1, ["RPUSH", "l", "a"], ["LPOP", "l"])
    regions.send(1, 2)
    assert waiters.replies(waiter) == []
    regions.run(1, "RPUSH", "x", "b")
    regions.run(1, "RENAME", "x", "l")
    regions.send(1, 2)
    assert waiters.replies(waiter) == [[b"l", b"b"]]


def test_only_new_list_serves_clients() -> None:
    """Rule EXP-6: the push removes what had expired first."""
    regions = Regions()
    waiters = Waiters(regions)
    regions.transaction(1, ["RPUSH", "l", "old"], ["PEXPIRE", "l", "10"])
    regions.sync()
    regions.now += 20
    waiter = waiters.block(2, "BLPOP", "l", "0")
    regions.run(1, "RPUSH", "l", "new")
    regions.send(1, 2)
    assert waiters.replies(waiter) == [[b"l", b"new"]]
    regions.sync()
    assert regions.everywhere("EXISTS", "l") == 0


def sliced_with_blocked() -> tuple[Instance, Client]:
    """Return an instance in which only SMEMBERS needs several slices, and a blocked client."""
    database = instance()
    lines(Client(database), "SADD s a b c d e f g")
    database.slices.items = 6
    blocked = Client(database)
    run(blocked, b"BLPOP q 0\r\n")
    return database, blocked


def test_watcher_learns_of_change_to_awaited_key_during_work() -> None:
    database, blocked = sliced_with_blocked()
    watching, pushing = Client(database), Client(database)
    lines(watching, "WATCH q", "MULTI")
    reading = Client(database)
    run(reading, b"SMEMBERS s\r\n")
    run(pushing, b"RPUSH q a\r\n")
    run(watching, b"EXEC\r\n")
    assert (pushing.out, watching.out) == ([b":1\r\n"], [b"*-1\r\n"])
    assert blocked.blocked
    receive(reading, b"")
    assert receive(blocked, b"") == b"*2\r\n$1\r\nq\r\n$1\r\na\r\n"


def test_watch_after_change_to_awaited_key_does_not_fail() -> None:
    database, blocked = sliced_with_blocked()
    watching, other = Client(database), Client(database)
    reading = Client(database)
    run(reading, b"SMEMBERS s\r\n")
    run(other, b"RPUSH q a\r\nLPOP q\r\n")
    assert b"".join(other.out) == b":1\r\n$1\r\na\r\n"
    run(watching, b"WATCH q\r\n")
    receive(reading, b"")
    assert blocked.blocked
    assert lines(watching, "MULTI", "EXEC")[1] == b"*0\r\n"


def test_no_work_begins_while_change_is_awaited() -> None:
    database, blocked = sliced_with_blocked()
    late, pushing = Client(database), Client(database)
    reading = Client(database)
    run(reading, b"SMEMBERS s\r\n")
    run(pushing, b"RPUSH q a\r\n")
    run(late, b"SMEMBERS s\r\n")
    assert late.flags & POSTPONED
    replies = receive(reading, b"")
    assert b"".join(blocked.out) == b"*2\r\n$1\r\nq\r\n$1\r\na\r\n"
    assert receive(late, b"") == replies
