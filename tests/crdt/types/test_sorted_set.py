"""Sorted sets: the lazily kept order, single writes, and the state that can be loaded."""

from __future__ import annotations

from random import Random

import pytest

from crdt.causality.dots import make_origin
from crdt.errors import DecodeError, NotANumber
from crdt.store.keyspace import Keyspace
from crdt.types.components.fields import ASSIGN
from crdt.types.registry import BUILT_IN
from crdt.types.sorted_set import STALE_MAX, ZSET, SortedSet
from crdt.writes import sorted_set as zset

KEY = b"z"


def keyspace() -> Keyspace:
    return Keyspace(make_origin(1), BUILT_IN)


def held(db: Keyspace) -> SortedSet:
    value = db.lookup(KEY)
    assert isinstance(value, SortedSet)
    return value


def in_order(value: SortedSet) -> list[tuple[float, bytes]]:
    return value.ranked().pairs(0, value.size())


def naively_sorted(value: SortedSet) -> list[tuple[float, bytes]]:
    return sorted((value.held_score(member), member) for member in value.names())


@pytest.mark.parametrize("seed", range(5))
def test_order_is_right_at_any_time(seed: int) -> None:
    rng, db = Random(seed), keyspace()
    for _ in range(3000):
        member, score = b"%d" % rng.randrange(60), float(rng.randrange(-3, 4))
        action = rng.random()
        if action < 0.4:
            zset.assign(db, KEY, [member, score])
        elif action < 0.7:
            zset.increment(db, KEY, member, score)
        elif action < 0.99:
            zset.remove(db, KEY, [member])
        else:
            db.delete(KEY)
        if rng.random() < 0.2 and db.lookup(KEY) is not None:
            assert in_order(held(db)) == naively_sorted(held(db))


def test_set_that_is_only_written_is_never_sorted() -> None:
    db = keyspace()
    for n in range(100):
        zset.assign(db, KEY, [b"%d" % n, float(n)])
    assert held(db).ranking is None


def test_order_is_kept_and_its_backlog_bounded() -> None:
    db = keyspace()
    zset.assign(db, KEY, [item for n in range(5000) for item in (b"%d" % n, float(n))])
    order = held(db).ranked()
    zset.assign(db, KEY, [b"7", -1.0])
    assert held(db).ranked() is order
    assert order.pair_at(0) == (-1.0, b"7")
    zset.assign(db, KEY, [item for n in range(5000) for item in (b"%d" % n, -float(n))])
    zset.remove(db, KEY, [b"%d" % n for n in range(0, 4000, 2)])
    ranking = held(db).ranking
    assert ranking is not None
    assert len(ranking.stale) <= STALE_MAX + 1
    assert in_order(held(db)) == naively_sorted(held(db))
    assert held(db).ranked() is order
    order.check()


@pytest.mark.parametrize("seed", range(5))
def test_order_is_built_in_slices_while_members_change(seed: int) -> None:
    rng, db = Random(seed), keyspace()
    for n in range(200):
        zset.increment(db, KEY, b"%d" % n, float(n % 7))
    calls = 1
    while not held(db).prepare_order(7):
        calls += 1
        for _ in range(3):
            member = b"%d" % rng.randrange(220)
            if rng.random() < 0.5:
                zset.remove(db, KEY, [member])
            else:
                zset.increment(db, KEY, member, float(rng.randrange(-3, 4)))
        ranking = held(db).ranking
        assert ranking is not None
        if rng.random() < 0.3:
            ranking.place(held(db), rng.randrange(3))
    assert calls == -(-200 // 7)
    assert in_order(held(db)) == naively_sorted(held(db))
    held(db).ranked().check()


def test_question_during_the_building_builds_the_rest() -> None:
    db = keyspace()
    zset.assign(db, KEY, [item for n in range(50) for item in (b"%d" % n, float(n % 7))])
    assert not held(db).prepare_order(20)
    assert in_order(held(db)) == naively_sorted(held(db))
    assert held(db).prepare_order(20)


def test_taken_members_leave_the_order() -> None:
    db = keyspace()
    zset.assign(db, KEY, [item for n in range(20) for item in (b"%d" % n, float(n))])
    taken = held(db).take(-1, 3)
    assert taken == [(0.0, b"0"), (1.0, b"1"), (2.0, b"2")]
    zset.remove(db, KEY, [b"0", b"1"])
    assert held(db).ranked().pair_at(0) == (2.0, b"2")
    assert held(db).take(15, 99, is_reversed=True)[0] == (19.0, b"19")
    zset.remove(db, KEY, [b"17", b"18", b"19"])
    zset.assign(db, KEY, [b"18", 0.5])
    assert in_order(held(db)) == naively_sorted(held(db))
    held(db).ranked().check()


def test_many_taken_members_stay_in_the_order_until_they_are_removed() -> None:
    db = keyspace()
    count = STALE_MAX + 10
    zset.assign(db, KEY, [item for n in range(count) for item in (b"%d" % n, float(n))])
    assert len(held(db).take(0, STALE_MAX + 1)) == STALE_MAX + 1
    ranking = held(db).ranking
    assert ranking is not None
    assert (len(ranking.stale), len(ranking.order)) == (0, count)


def test_minus_zero_is_zero() -> None:
    db = keyspace()
    zset.assign(db, KEY, [b"a", -0.0])
    for score in (7.0, -0.0):
        zset.assign_one(db, KEY, held(db), b"b", score)
    zset.increment(db, KEY, b"c", -0.0)
    db.emit((ZSET, ASSIGN, KEY, 0, b"d", -0.0))  # as a peer may that is not ours
    assert [str(score) for score, _ in in_order(held(db))] == ["0.0"] * 4


def test_single_assignment_is_same_as_one_of_several() -> None:
    one, several = keyspace(), keyspace()
    for now, score in ((5, 1.5), (3, 2.0), (9, -4.0)):
        for db in (one, several):
            db.advance(now)
        value = one.lookup(KEY)
        assert value is None or isinstance(value, SortedSet)
        assert zset.assign_one(one, KEY, value, b"m", score) == (value is None)
        zset.assign(several, KEY, [b"m", score])
        zset.increment(one, KEY, b"m", 1.0)
        zset.increment(several, KEY, b"m", 1.0)
        assert held(one).state() == held(several).state()
    first, second = one.seal(), several.seal()
    assert first == second


def test_nan_score_is_refused_without_change() -> None:
    db = keyspace()
    zset.assign(db, KEY, [b"m", float("inf")])
    before = db.seq
    with pytest.raises(NotANumber):
        zset.increment(db, KEY, b"m", -float("inf"))
    assert db.seq == before
    assert held(db).score(b"m") == float("inf")


def test_state_is_read_back_and_invalid_one_refused() -> None:
    db = keyspace()
    zset.assign(db, KEY, [b"a", 1.5, b"b", 2.0])
    zset.increment(db, KEY, b"b", 0.25)
    zset.increment(db, KEY, b"c", float("-inf"))
    copy = SortedSet()
    copy.load(held(db).state())
    assert copy.state() == held(db).state()
    assert copy.visible() == [(b"a", 1.5), (b"b", 2.25), (b"c", -float("inf"))]
    assert copy.content()[b"b"].visible() == 2.25
    assert copy.content()[b"b"].code() == copy.code()
    for wrong in (b"", (b"a",), (b"a", (1, 0, b"text", 0)), (1, (1, 0, 2.0, 0))):
        with pytest.raises(DecodeError):
            SortedSet().load(wrong)
