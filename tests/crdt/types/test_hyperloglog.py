"""HyperLogLogs: additions are united, and deletes win."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError, Replica
from crdt.causality.dots import make_dot
from crdt.structures.register_array import RegisterArray
from crdt.types.hyperloglog import HYPERLOGLOG, HyperLogLog, is_register_code
from crdt.writes import hyperloglog
from tests.crdt.exchange import converge, exchange, held, regions


def registers_of(*codes: int) -> RegisterArray:
    registers = RegisterArray()
    for code in codes:
        registers.put(code)
    return registers


def is_there(replica: Replica, key: bytes = b"k") -> bool:
    return replica.keyspace.lookup(key) is not None


@pytest.mark.rule("HLL-1")
def test_additions_of_all_regions_are_united() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a", "b")
    there.hyperloglog("k").add("b", "c")
    exchange(here, there)
    assert [len(each.hyperloglog("k")) for each in (here, there)] == [3, 3]
    assert here.digest() == there.digest()


@pytest.mark.rule("HLL-3")
@pytest.mark.rule("HLL-8")
def test_delete_wins_over_concurrent_addition() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a")
    exchange(here, there)
    here.keyspace.delete(b"k")
    there.hyperloglog("k").add("b")
    exchange(here, there)
    assert not any(is_there(each, b"k") for each in (here, there))
    converge(here, there)
    assert not here.keyspace.tombstones
    assert not there.keyspace.tombstones


@pytest.mark.rule("HLL-4")
def test_addition_after_delete_creates_the_key_again() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a", "b")
    here.keyspace.delete(b"k")
    exchange(here, there)
    there.hyperloglog("k").add("c")
    exchange(here, there)
    assert [len(each.hyperloglog("k")) for each in (here, there)] == [1, 1]


@pytest.mark.rule("HLL-3")
def test_merge_of_states_lets_deletes_win() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a")
    exchange(here, there)
    here.keyspace.delete(b"k")
    here.hyperloglog("k").add("new")
    there.hyperloglog("k").add("b")
    here.merge(there.snapshot())
    there.merge(here.snapshot())
    assert [len(each.hyperloglog("k")) for each in (here, there)] == [1, 1]
    assert here.digest() == there.digest()


def test_state_from_before_a_forgotten_delete_brings_nothing_back() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a")
    exchange(here, there)
    old = there.snapshot()
    here.keyspace.delete(b"k")
    converge(here, there)
    assert not here.keyspace.tombstones
    here.merge(old)
    assert not is_there(here)


def test_delete_of_another_type_does_not_concern_it() -> None:
    here, there = regions(2)
    here.string("k").set("text")
    exchange(here, there)
    here.keyspace.delete(b"k")
    there.keyspace.delete(b"k")
    there.hyperloglog("k").add("a")
    exchange(here, there)
    assert [len(each.hyperloglog("k")) for each in (here, there)] == [1, 1]


def test_flush_deletes_what_it_saw_and_no_other() -> None:
    here, there = regions(2)
    here.hyperloglog("seen").add("a")
    exchange(here, there)
    here.keyspace.flush()
    there.hyperloglog("seen").add("b")
    there.hyperloglog("unseen").add("b")
    exchange(here, there)
    assert not any(is_there(each, b"seen") for each in (here, there))
    assert [len(each.hyperloglog("unseen")) for each in (here, there)] == [1, 1]


def test_only_what_changes_is_sent() -> None:
    db = Replica(1).keyspace
    assert hyperloglog.raise_registers(db, b"k", None, [65, 66, 129])
    assert db.pending_effects() == [(HYPERLOGLOG, 0, b"k", 66, 129)]
    db.seal()
    value = db.lookup(b"k")
    assert isinstance(value, HyperLogLog)
    assert not hyperloglog.raise_registers(db, b"k", value, [66, 65])
    assert hyperloglog.raise_registers(db, b"k", value, [67, 129])
    assert db.pending_effects() == [(HYPERLOGLOG, 0, b"k", 67)]


def test_effects_have_bounded_size() -> None:
    db = Replica(1).keyspace
    hyperloglog.raise_registers(db, b"k", None, [index * 64 + 1 for index in range(2500)])
    assert [len(effect) - 3 for effect in db.pending_effects()] == [1000, 1000, 500]


@pytest.mark.rule("HLL-6")
@pytest.mark.rule("D-13")
def test_assignment_of_more_elements_keeps_concurrent_additions() -> None:
    here, there = regions(2)
    hyperloglog.raise_registers(here.keyspace, b"k", None, [65])
    exchange(here, there)
    hyperloglog.assign(here.keyspace, b"k", registers_of(66, 129))
    value = there.keyspace.lookup(b"k")
    assert isinstance(value, HyperLogLog)
    hyperloglog.raise_registers(there.keyspace, b"k", value, [193])
    exchange(here, there)
    for replica in (here, there):
        value = replica.keyspace.lookup(b"k")
        assert value is not None
        assert value.visible() == [66, 129, 193]


@pytest.mark.rule("HLL-6")
def test_assignment_of_other_elements_deletes_first() -> None:
    here, there = regions(2)
    hyperloglog.raise_registers(here.keyspace, b"k", None, [65])
    exchange(here, there)
    hyperloglog.assign(here.keyspace, b"k", registers_of(129))
    value = there.keyspace.lookup(b"k")
    assert isinstance(value, HyperLogLog)
    hyperloglog.raise_registers(there.keyspace, b"k", value, [193])
    exchange(here, there)
    for replica in (here, there):
        value = replica.keyspace.lookup(b"k")
        assert value is not None
        assert value.visible() == [129]


def test_empty_one_is_a_value() -> None:
    here, there = regions(2)
    assert here.hyperloglog("k").add()
    exchange(here, there)
    assert is_there(there)
    assert len(there.hyperloglog("k")) == 0


def test_state_survives() -> None:
    here, there = regions(2)
    here.hyperloglog("k").add("a")
    exchange(here, there)
    there.keyspace.delete(b"k")
    there.hyperloglog("k").add("b")
    exchange(here, there)
    value = held(here, b"k")
    copy = HyperLogLog()
    copy.load(value.state())
    assert copy.equals(value)
    assert copy.state() == value.state()
    assert not value.covered({})
    assert value.min_dot() == make_dot(there.origin, 2)


@pytest.mark.parametrize(
    "state",
    [
        (),
        (b"\x00", (), ()),
        (b"", (1 << 64, 1 << 64), ()),
        (b"", ((1 << 48) + 2, (1 << 48) + 1), ()),
        (b"", (), (5, 4)),
        (b"", (), b""),
    ],
)
def test_other_states_are_refused(state: Any) -> None:
    with pytest.raises(DecodeError):
        HyperLogLog().load(state)


def test_codes_are_those_of_registers() -> None:
    assert is_register_code(0)
    assert is_register_code((1 << 20) - 1)
    assert not any(map(is_register_code, (-1, 1 << 20, 1.0, True, b"")))
