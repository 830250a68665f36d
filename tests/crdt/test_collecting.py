"""Forgetting: not before everybody has seen why, and then wholly (rules MEM-2, MEM-3, EXP-7)."""

from __future__ import annotations

import pytest

from crdt import Replica, collecting
from crdt.contested import Contested
from tests.crdt.exchange import exchange, regions

KEY = b"k"


def report(sink: Replica, *sources: Replica) -> None:
    """Tell `sink` how far the others are."""
    for source in sources:
        sink.heard(source.region, source.vector, source.keyspace.horizon)


def counter_deleted() -> tuple[Replica, Replica]:
    """Region 1 has deleted a counter of region 2 and remembers its share; region 2 does not know
    of the delete."""
    here, there = regions(2)
    there.counter("k").increment(5)
    exchange(here, there)
    here.counter("k").delete()
    here.seal()
    return here, there


def test_a_remembered_share_goes_once_all_have_seen_the_reset() -> None:
    """Rules MEM-2 and MEM-3."""
    here, there = counter_deleted()
    report(here, there)
    assert here.collect() == 0
    assert KEY in here.keyspace.graves
    assert here.keyspace.litter == {KEY}
    exchange(here, there)
    report(here, there)
    assert here.collect() == 1
    assert here.keyspace.graves == {}
    assert here.keyspace.litter == set()
    assert (here.garbage.attempted, here.garbage.collected) == (2, 1)


def test_a_live_value_is_swept_in_place() -> None:
    here, there = counter_deleted()
    here.counter("k").increment(3)
    exchange(here, there)
    report(here, there)
    assert here.collect() == 1
    assert int(here.counter("k")) == 3
    state = here.keyspace.data[KEY].state()
    assert len(state[-1]) == 7, "one share is left"


def test_a_contest_ends_when_the_dead_type_is_forgotten() -> None:
    here, there = counter_deleted()
    here.hash("k")["f"] = "a"
    assert isinstance(here.keyspace.data[KEY], Contested)
    exchange(here, there)
    report(here, there)
    assert here.collect() == 1
    assert not isinstance(here.keyspace.data[KEY], Contested)
    assert dict(here.hash("k")) == {"f": "a"}


def test_nobody_forgets_while_a_member_is_silent() -> None:
    """Rule MEM-3."""
    here, there, _ = regions(3)
    here.string("k").set("x")
    here.string("k").expire_at(None)
    exchange(here, there)
    report(here, there)
    assert here.collect() == 0
    assert here.keyspace.litter == {KEY}


def test_a_deadline_that_never_comes_is_dropped_once_all_have_seen_it() -> None:
    here, there = regions(2)
    here.string("k").set("x")
    here.string("k").expire_at(None)
    here.seal()
    report(here, there)
    assert here.collect() == 0
    assert KEY in here.keyspace.deadlines.table
    exchange(here, there)
    report(here, there)
    assert here.collect() == 1
    assert here.keyspace.deadlines.table == {}
    assert here.string("k").get() == "x"


def test_a_deadline_that_will_come_is_not_dropped() -> None:
    """A concurrent PERSIST is litter; the deadline beside it that it outlives is not."""
    here, there = regions(2)
    here.string("k").set("x")
    exchange(here, there)
    here.string("k").expire_at(5000)
    there.string("k").expire_at(None)
    exchange(here, there)
    report(here, there)
    assert here.collect() == 1
    assert here.keyspace.deadline(KEY) is None
    assert len(here.keyspace.deadlines.table[KEY]) == 4


def orphan() -> tuple[Replica, Replica]:
    """A key that region 1 deleted while region 2 set its deadline: the deadline is all that is
    left of it."""
    here, there = regions(2)
    here.set("k").add("x")
    exchange(here, there)
    here.set("k").delete()
    there.set("k").expire_at(5000)
    exchange(here, there)
    return here, there


def test_an_orphaned_deadline_is_deleted_by_the_lowest_region_when_all_know_that_it_is_one() -> (
    None
):
    here, there = orphan()
    for replica in (here, there):
        assert replica.keyspace.data == {}
        assert KEY in replica.keyspace.deadlines.table
    report(here, there)
    report(there, here)
    assert here.collect() == 0
    assert there.collect() == 0
    assert here.collect() == 1
    assert there.collect() == 0
    assert KEY not in here.keyspace.deadlines.table
    assert here.garbage.orphans == {}
    exchange(here, there)
    assert there.keyspace.deadlines.table == {}
    assert there.collect() == 1
    assert here.to_bytes() == there.to_bytes()


def test_an_orphan_is_looked_at_anew_when_its_deadlines_change() -> None:
    here, there = orphan()
    report(here, there)
    assert here.collect() == 0
    there.keyspace.expire(KEY, 7000)
    exchange(here, there)
    report(here, there)
    assert here.collect() == 0
    assert here.garbage.orphans[KEY][0] == here.keyspace.deadlines.table[KEY]
    assert here.collect() == 1
    assert here.keyspace.deadlines.table == {}


def test_an_orphan_that_lives_again_keeps_its_deadline() -> None:
    here, there = orphan()
    report(here, there)
    assert here.collect() == 0
    assert KEY in here.garbage.orphans
    there.keyspace.emit((0x20, KEY, b"y"))
    exchange(here, there)
    report(here, there)
    here.collect()
    assert KEY not in here.garbage.orphans
    assert here.keyspace.deadline(KEY) == 5000
    assert set(here.set("k")) == {"y"}


def test_an_expired_key_goes_when_every_clock_has_passed_its_deadline() -> None:
    """Rule EXP-7: an ordinary delete, by the lowest region alone."""
    here, there = regions(2)
    there.set("k").add("x")
    there.set("k").expire_at(2000)
    exchange(here, there)
    here.advance(2001)
    report(here, there)
    assert here.collect() == 0
    there.advance(2001)
    report(here, there)
    report(there, here)
    assert there.collect() == 0
    assert there.keyspace.size() == 1
    assert here.collect() == 1
    assert here.keyspace.size() == 0
    exchange(here, there)
    assert there.keyspace.size() == 0


def test_what_another_region_wrote_meanwhile_survives_the_delete() -> None:
    """Rule EXP-7: what the delete has not seen stays."""
    here, there = regions(2)
    here.set("k").add("x")
    here.set("k").expire_at(2000)
    exchange(here, there)
    for replica in (here, there):
        replica.advance(2001)
    report(here, there)
    there.set("k").add("y")
    assert here.collect() == 1
    exchange(here, there)
    assert set(here.set("k")) == set(there.set("k")) == {"y"}


def test_a_report_of_a_write_that_has_not_come_deletes_nothing() -> None:
    here, there = regions(2)
    here.set("k").add("x")
    here.set("k").expire_at(2000)
    exchange(here, there)
    there.set("k").expire_at(9000)
    for replica in (here, there):
        replica.advance(2001)
    report(here, there)
    assert here.collect() == 0
    exchange(here, there)
    assert here.collect() == 0
    assert set(here.set("k")) == {"x"}


def test_one_collection_deletes_so_many_expired_keys_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collecting, "REAP_MAX", 3)
    alone = Replica(1, members=(1,))
    for n in range(5):
        alone.set(f"{n}").add("x")
        alone.set(f"{n}").expire_at(10 + n)
    alone.advance(100)
    for left in (2, 0):
        assert alone.collect() > 0
        assert alone.keyspace.size() == left
