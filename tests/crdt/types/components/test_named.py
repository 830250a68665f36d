"""Large sets, hashes and sorted sets, with sizes that make a few names large."""

from __future__ import annotations

import random
from random import Random

import pytest

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.store.keyspace import Keyspace
from crdt.testing import SUBJECTS, World
from crdt.testing.worlds.steps import draw
from crdt.types.components.fields import Fields
from crdt.types.components.named import LIMITS, LargeContent, Named
from crdt.types.hash import HASH
from crdt.types.registry import BUILT_IN
from crdt.types.set import Set
from crdt.types.sorted_set import ZSET, SortedSet
from crdt.writes import hash as hashes
from crdt.writes import set as sets
from crdt.writes import sorted_set as zset

KEY = b"k"
HERE, THERE = make_origin(1), make_origin(2)


@pytest.fixture(autouse=True)
def tiny_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("small_max", "part_max", "slice_names"):
        monkeypatch.setattr(LIMITS, limit, 4)


def keyspace() -> Keyspace:
    return Keyspace(HERE, BUILT_IN)


def held(db: Keyspace) -> Named:
    value = db.lookup(KEY)
    assert isinstance(value, Named)
    return value


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def fill(db: Keyspace, kind: str, count: int = 30) -> Named:
    """Write members one by one, and return the value."""
    for number, name in enumerate(numbered(count)):
        if kind == "set":
            sets.add_one(db, KEY, name)
        elif kind == "hash":
            hashes.assign(db, KEY, [name, b"text"])
        else:
            zset.assign(db, KEY, [name, float(number % 7)])
    return held(db)


def past(seq: int, vector: dict[int, int] | None = None) -> Observed:
    """Return the past of an effect of the other region."""
    return Observed(vector or {}, THERE, seq, 0)


def test_values_that_depend_on_size_agree_with_specifications() -> None:
    for name in ("set", "hash", "sorted-set", "contest"):
        for number in range(4):
            World(SUBJECTS[name]).run_on(draw(random.Random(number), 60))


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_large_collection_is_table(kind: str) -> None:
    db = keyspace()
    value = fill(db, kind, 4)
    assert value.large is None
    fill(db, kind)
    assert value.large is not None
    assert len(value.large.table.dicts()) > 1
    assert value.small_content() == {}
    assert (value.size(), sorted(value.names())) == (30, sorted(numbered(30)))
    assert value.has(b"29")
    assert not value.has(b"30")
    copy = type(value)()
    copy.load(value.state())
    assert copy.large is not None
    assert copy.state() == value.state()
    assert copy.covered(db.vector)
    assert not copy.covered({HERE: db.seq - 1})
    assert not value.equals(copy)
    assert value.min_dot() == make_dot(HERE, 5)


def test_long_effect_makes_collection_large() -> None:
    db = keyspace()
    sets.add(db, KEY, numbered(30))
    value = held(db)
    assert isinstance(value, Set)
    assert value.large is not None
    assert value.large.limits() == {HERE: 1}
    assert value.visible() == sorted(numbered(30))


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_names_are_sampled_and_scanned_while_collection_grows(kind: str) -> None:
    db, rng = keyspace(), Random(1)
    value = fill(db, kind, 4)
    assert value.pick(rng) in value.names()
    cursor, found = value.scan(0, 1)
    assert cursor
    fill(db, kind)
    while cursor:
        cursor, page = value.scan(cursor, 2)
        found += page
    assert set(numbered(4)) <= set(found)
    assert len(found) == len(set(found))
    assert {value.pick(rng) for _ in range(1000)} == set(numbered(30))
    assert set(value.sampled_keys()) >= set(numbered(30))


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_content_that_was_observed_is_dropped_at_once(kind: str) -> None:
    value = fill(keyspace(), kind)
    if isinstance(value, SortedSet):
        value.ranked()
    assert value.take_dropped() is None
    value.remove(past(1, {HERE: 29}), None)
    assert value.take_dropped() is None
    assert list(value.names()) == [b"29"]
    value = fill(keyspace(), kind)
    if isinstance(value, SortedSet):
        value.ranked()
    value.remove(past(1, {HERE: 34}), None)
    assert not value.is_live()
    if isinstance(value, SortedSet):
        assert len(value.ranked()) == 0
    assert value.is_empty()
    dropped = value.take_dropped()
    assert dropped is not None
    assert value.take_dropped() is None
    assert value.large is None
    calls = 1
    while dropped.free_slice():
        calls += 1
    assert calls > 3


def test_content_is_dropped_under_name_that_is_used_again() -> None:
    db = keyspace()
    value = fill(db, "set")
    value.remove(db.local, None)
    assert isinstance(value, Set)
    value.add(b"new", make_dot(HERE, 99), db.local)
    assert value.take_dropped() is not None
    assert value.visible() == [b"new"]


def test_upper_bounds_are_those_of_each_origin() -> None:
    large = LargeContent()
    for origin, seq in ((1, 5), (2, 7), (1, 4), (1, 6), (3, 1)):
        large.note_dot(make_dot(origin, seq))
    assert large.limits() == {1: 6, 2: 7, 3: 1}
    assert large.is_covered({1: 6, 2: 7, 3: 1})
    assert not large.is_covered({1: 6, 2: 6, 3: 1})
    assert large.is_observed(Observed({1: 6, 3: 1}, 2, 8, 0))
    assert not large.is_observed(Observed({1: 6, 3: 1}, 2, 7, 0))


def test_counters_stay_when_the_rest_is_dropped() -> None:
    db = keyspace()
    value = fill(db, "hash")
    hashes.increment(db, KEY, b"n", 5)
    hashes.increment(db, KEY, b"m", 7)
    hashes.remove(db, KEY, [b"m"])
    resets = value.resets()
    assert resets == (b"n", (HERE, db.seq - 2, db.seq - 2, 5))
    hashes.increment(db, KEY, b"n", 1)
    value.remove(past(1, db.vector), resets)
    assert isinstance(value, Fields)
    assert value.visible() == [(b"n", b"1")]
    assert value.has_tombstone(b"m")
    value.remove(past(2, db.vector), value.resets())
    assert not value.is_live()
    assert value.has_tombstone(b"n")
    hashes.increment(db, KEY, b"n", 2)
    assert value.visible() == [(b"n", b"2")]


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_large_values_are_merged_in_slices(kind: str) -> None:
    values: list[Named] = []
    for origin in (HERE, THERE):
        db = Keyspace(origin, BUILT_IN)
        values.append(fill(db, kind))
    ours, theirs = values
    steps = sum(1 for _ in ours.merge_in_slices(theirs, {HERE: 30}, {THERE: 30}))
    assert steps > 10
    assert sorted(ours.names()) == sorted(numbered(30))
    assert all(len(dots) == 2 for dots in dots_by_name(ours).values())
    assert ours.large is not None
    assert ours.large.limits() == {HERE: 30, THERE: 30}
    ours.merge(type(ours)(), {HERE: 30, THERE: 30}, {HERE: 15, THERE: 30})
    assert set(ours.names()) == set(numbered(30)[15:])


def dots_by_name(value: Named) -> dict[bytes, list[int]]:
    if isinstance(value, Set):
        found: dict[bytes, list[int]] = {}
        for dot, name in value.siblings():
            assert isinstance(name, bytes)
            found.setdefault(name, []).append(dot)
        return found
    return {name: [d for d, _ in register.siblings()] for name, register in value.entries()}


class Renamed:
    """The names of the origins of a database whose first region is the second one here."""

    def origin(self, origin: int) -> int:
        return THERE if origin == HERE else origin

    def dot(self, dot: int) -> int:
        return make_dot(self.origin(dot >> SEQ_BITS), dot & SEQ_MAX) if dot else 0


@pytest.mark.parametrize("kind", ["set", "hash", "sorted set"])
def test_origins_of_large_values_are_renamed(kind: str) -> None:
    db = keyspace()
    value = fill(db, kind)
    rename = db.types.definition(value).rename_origins
    assert rename is not None
    rename(value, Renamed())
    assert {dot >> SEQ_BITS for dots in dots_by_name(value).values() for dot in dots} == {THERE}
    assert value.large is not None
    assert value.large.limits() == {THERE: 30}


@pytest.mark.parametrize("code", [HASH, ZSET])
def test_order_is_built_from_table_in_slices(code: int) -> None:
    db = keyspace()
    value = fill(db, "hash" if code == HASH else "sorted set")
    calls = 1
    while not value.prepare_order(2):
        calls += 1
        if calls % 3 == 0:
            fill(db, "hash" if code == HASH else "sorted set", 60)
    if isinstance(value, SortedSet):
        assert calls > 14
        order = value.ranked()
        order.check()
        assert order.pairs(0, 99) == sorted((value.held_score(n), n) for n in value.names())
    else:
        assert calls == 1
