"""The recorded effects of a key."""

from __future__ import annotations

from crdt.causality.effect import LARGE_BYTES
from crdt.embed.replica import Replica
from sim.engine.events import SECOND
from sim.nodes.effects import EFFECTS_MAX, NAMES_MAX, EffectBook, read_in_order, read_sorted
from tests.sim.planted import fresh


def test_history_holds_what_region_has_applied() -> None:
    world = fresh()
    world.run("eu", "SADD", "k", "a")
    book = world.run_history.book
    here, there = (world.sites[name].replica.keyspace for name in ("eu", "us"))
    assert [len(book.history_of_key(b"k", db) or ()) for db in (here, there)] == [1, 0]
    assert world.converge(SECOND)
    world.run("us", "SREM", "k", "a")
    history = book.history_of_key(b"k", there)
    assert history is not None
    assert [(str(taken.command), taken.past) for taken in history] == [
        ("SADD k a", 0),
        ("SREM k a", 1),
    ]
    assert book.history_of_key(b"other", here) is not None


def test_keys_with_many_effects_or_large_ones_are_left_out() -> None:
    world = fresh()
    book, db = world.run_history.book, world.sites["eu"].replica.keyspace
    world.run("eu", "SADD", "k", *map(str, range(NAMES_MAX + 1)))
    for i in range(EFFECTS_MAX + 1):
        world.run("eu", "SADD", "l", f"{i}")
    assert book.history_of_key(b"k", db) is None
    assert book.history_of_key(b"l", db) is None


def test_list_is_read_with_or_without_its_order() -> None:
    world = fresh()
    world.run("eu", "RPUSH", "l", "b", "a")
    db = world.sites["eu"].replica.keyspace
    assert read_sorted(db, b"l") == ("list", ["a", "b"], None)
    assert read_in_order(db, b"l") == ("list", ["b", "a"], None)
    assert read_in_order(db, b"k") is None
    assert read_sorted(db, b"k") is None


def test_replaced_write_is_recorded_once() -> None:
    """The second write of a large string replaces the first one in the outbox."""
    world = fresh()
    book, db = world.run_history.book, world.sites["eu"].replica.keyspace
    one, two = "1" * (LARGE_BYTES + 1), "2" * (LARGE_BYTES + 1)
    for value in ("0", one, two):
        world.run("eu", "SET", "k", value)
    assert db.pending_count() == 1
    history = book.history_of_key(b"k", db)
    assert history is not None
    assert [taken.command.args for taken in history] == [("0",), (two,)]
    assert world.converge(SECOND)
    assert world.run("us", "GET", "k") == two.encode()
    world.check_end()


def test_joined_edit_is_recorded_once() -> None:
    """Edits of a long string are joined in the outbox. The first edit has been sent before."""
    world = fresh()
    book, db = world.run_history.book, world.sites["eu"].replica.keyspace
    text = "1" * 5000
    world.run("eu", "SET", "k", text)
    assert world.converge(SECOND)
    for patch in "abcd":
        world.run("eu", "APPEND", "k", patch)
    assert db.pending_count() == 1
    history = book.history_of_key(b"k", db)
    assert history is not None
    assert [taken.command.args for taken in history] == [(text,), (f"{text}a",), (f"{text}abcd",)]
    assert world.converge(SECOND)
    assert world.run("us", "GET", "k") == f"{text}abcd".encode()
    world.check_end()


def test_replaced_write_may_have_later_ones_of_other_regions() -> None:
    world = fresh()
    one, two = "1" * (LARGE_BYTES + 1), "2" * (LARGE_BYTES + 1)
    for region, value in (("eu", "0"), ("eu", one), ("us", "3"), ("eu", two)):
        world.run(region, "SET", "k", value)
    recorded = world.run_history.book.by_key[b"k"]
    assert [taken.command.args for taken in recorded] == [("0",), (two,), ("3",)]


def test_replaced_write_of_forgotten_key_is_ignored() -> None:
    world = fresh()
    book, db = world.run_history.book, world.sites["eu"].replica.keyspace
    world.run("eu", "SET", "k", "0")
    world.run("eu", "SET", "k", "1" * (LARGE_BYTES + 1))
    book.forget_key(b"k")
    world.run("eu", "SET", "k", "2" * (LARGE_BYTES + 1))
    assert book.history_of_key(b"k", db) is None
    assert book.latest[db.origin][0] == 2


def test_effects_of_operation_that_waits_have_their_own_times() -> None:
    """The clock of a region ticks between two effects of one operation."""
    replica = Replica(1, members=(1, 2))
    book, db = EffectBook(), replica.keyspace
    for now in (1000, 2000):
        replica.advance(now)
        replica.set("k").add(str(now))
        op = db.pending()
        assert op is not None
        assert op.base == 1000
        book.record_op(db, op, {})
    history = book.history_of_key(b"k", db)
    assert history is not None
    assert [event.clock for event in history] == [1000, 2000]
