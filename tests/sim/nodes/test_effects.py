"""The recorded effects of a key."""

from __future__ import annotations

from sim.engine.events import SECOND
from sim.nodes.effects import EFFECTS_MAX, NAMES_MAX, read_in_order, read_sorted
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
