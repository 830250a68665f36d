"""Keyspace events: what the comparison with a real server cannot show."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from tests.crdb.engine.pubsub.test_hub import Site
from tests.crdb.raw import NOW, instance, lines

ON = "CONFIG SET notify-keyspace-events EAnm"


def events(database: Instance, subscriber: Client) -> list[str]:
    """Return the events that a subscriber has received, each with its key."""
    database.serve_dirty_keys()
    while not database.slices.is_idle():
        database.slices.run_slice()
    words = receive(subscriber, b"").decode("latin-1").split("\r\n")
    names = [word.removeprefix("__keyevent@0__:") for word in words if word[:1] not in "$*>"]
    return [f"{name} {key}" for name, key in zip(names[2::4], names[3::4], strict=False)]


def subscribed(database: Instance) -> Client:
    """Return a subscriber of all events of an instance."""
    client = Client(database)
    lines(client, ON, "PSUBSCRIBE __keyevent*")
    return client


def two_regions() -> tuple[Site, Site, Client]:
    """Return two regions, and a subscriber of the events of the second one."""
    us, eu = Site(1), Site(2)
    return us, eu, subscribed(eu.instance)


@pytest.mark.rule("D-17")
@pytest.mark.rule("PUB-6")
def test_changes_of_other_region_raise_events() -> None:
    us, eu, client = two_regions()
    us.run("SET a 1", "INCR n", "RPUSH l x y", "LPUSH l z", "SADD s a", "HSET h f 1", "ZADD z 1 m")
    eu.replica.accept(us.op())
    assert events(eu.instance, client) == [
        *("new a", "set a", "new n", "incrby n", "new l", "rpush l", "lpush l"),
        *("new s", "sadd s", "new h", "hset h", "new z", "zadd z"),
    ]
    us.run("DEL a", "EXPIRE n 100", "PERSIST n", "LPOP l", "SREM s a", "PUBLISH p x", "RENAME h i")
    eu.replica.accept(us.op())
    found = events(eu.instance, client)
    assert found[:4] == ["del a", "expire n", "persist n", "lrem l"]
    assert {"srem s", "del s", "del h", "new i", "hset i"} <= set(found)


@pytest.mark.rule("PUB-6")
def test_delete_of_unknown_key_raises_no_event() -> None:
    us, eu, client = two_regions()
    us.run("SET a 1")
    us.op()
    us.run("DEL a")
    for op in us.replica.since({}):
        eu.replica.accept(op)
    assert events(eu.instance, client) == ["new a", "set a", "del a"]
    eu.replica.accept(us.replica.since({})[1])
    assert events(eu.instance, client) == []


@pytest.mark.rule("PUB-6")
def test_events_do_not_cross_regions() -> None:
    us, eu, client = two_regions()
    subscriber = subscribed(us.instance)
    us.run("SET a 1")
    assert events(us.instance, subscriber) == ["new a", "set a"]
    assert len(us.op().effects) == 1
    assert events(eu.instance, client) == []


def test_large_operation_raises_events_of_its_effects() -> None:
    us, eu, client = two_regions()
    eu.replica.work_in_slices(10, 5)
    us.run("MULTI", *[f"SET k{n} 1" for n in range(200)], "EXEC")
    eu.replica.accept(us.op())
    assert events(eu.instance, client) == [f"set k{n}" for n in range(200)]


@pytest.mark.rule("PUB-6")
def test_expired_key_raises_event_in_each_region() -> None:
    us, eu, client = two_regions()
    us.run("SET a 1 PX 50", "SET b 1 PX 1000", "SET c 1 PX 50", "PERSIST c")
    eu.replica.accept(us.op())
    assert "expire a" in events(eu.instance, client)
    assert eu.instance.deadline <= NOW + 100
    eu.instance.advance(NOW + 200)
    eu.instance.tick()
    assert events(eu.instance, client) == ["expired a"]
    eu.instance.advance(NOW + 300)
    eu.instance.tick()
    assert events(eu.instance, client) == []


def test_expired_key_is_reported_before_it_is_written() -> None:
    database = instance()
    client, other = subscribed(database), Client(database)
    lines(other, "SET a 1 PX 50")
    database.advance(NOW + 60)
    lines(other, "SET a 2")
    assert events(database, client)[3:] == ["expired a", "new a", "set a"]


def test_many_expired_keys_are_reported_in_parts() -> None:
    database = instance()
    client, other = subscribed(database), Client(database)
    for number in range(600):
        lines(other, f"SET k{number} 1 PX 50")
    events(database, client)
    database.advance(NOW + 200)
    database.tick()
    assert database.deadline == database.now
    assert len(events(database, client)) == 500
    database.tick()
    assert len(events(database, client)) == 100


def test_evicted_key_raises_event() -> None:
    database = instance()
    client = subscribed(database)
    database.key_events.report_evicted(b"a")
    assert events(database, client) == ["evicted a"]
    lines(client, "RESET")
    database.key_events.report_evicted(b"a")


def test_command_in_slices_raises_events_at_its_end() -> None:
    database = instance()
    database.slice_items = 10
    client, other = subscribed(database), Client(database)
    run(other, b"SADD s " + b" ".join(b"%d" % n for n in range(50)) + b"\r\n")
    assert client.out == []
    assert events(database, client) == ["new s", "sadd s"]
    assert database.watched_keys.counts == {}
    run(other, b"MULTI\r\nSADD s x\r\nSREM s " + b" ".join(b"%d" % n for n in range(50)))
    run(other, b"\r\nDEL s\r\nEXEC\r\n")
    assert events(database, client) == ["sadd s", "srem s", "del s"]
    assert database.watched_keys.counts == {}


def test_command_that_must_wait_raises_events_once() -> None:
    database = instance()
    database.slice_items = 10
    client, one, two = subscribed(database), Client(database), Client(database)
    run(one, b"SADD s " + b" ".join(b"%d" % n for n in range(50)) + b"\r\n")
    run(two, b"SADD t " + b" ".join(b"%d" % n for n in range(50)) + b"\r\n")
    found = events(database, client)
    for each in list(database.woken):
        run(two, b"") if each is two else None
    found += events(database, client)
    assert found == ["new s", "sadd s", "new t", "sadd t"]
    assert database.watched_keys.counts == {}


def test_blocked_client_raises_events_when_it_is_served() -> None:
    us, eu, client = two_regions()
    blocked = Client(eu.instance)
    lines(blocked, "BLPOP l 0")
    us.run("RPUSH l x")
    eu.replica.accept(us.op())
    assert events(eu.instance, client) == ["new l", "rpush l", "lpop l", "del l"]
    lines(blocked, "BLPOP l 0")
    blocked.leave()
    assert not eu.instance.key_events.blocked


def test_subscriber_gets_its_own_events_behind_reply() -> None:
    client = Client(instance())
    lines(client, "HELLO 3", ON, "SUBSCRIBE __keyevent@0__:set")
    (reply,) = lines(client, "SET a 1")
    assert reply.startswith(b"+OK\r\n>3\r\n$7\r\nmessage\r\n")


def test_nothing_is_observed_without_need() -> None:
    database = instance()
    client, other = Client(database), Client(database)
    before = database.guarded_bits
    lines(client, "SUBSCRIBE x")
    for setting in ("", "KE", "gx"):
        lines(other, f"CONFIG SET notify-keyspace-events '{setting}'")
        assert database.guarded_bits == before
        assert database.replica.op_observer is None
        assert not database.keyspace.records_expiry()
    lines(other, "CONFIG SET notify-keyspace-events KEA")
    assert database.guarded_bits != before
    assert database.keyspace.records_expiry()
    lines(other, "CONFIG SET notify-keyspace-events ''")
    assert database.guarded_bits == before


def test_setting_of_configuration_has_effect() -> None:
    database = instance(notify_keyspace_events="Eg")
    client, other = Client(database), Client(database)
    lines(client, "PSUBSCRIBE __keyevent*")
    lines(other, "SET a 1", "DEL a")
    assert events(database, client) == ["del a"]
