"""Flags: enable-wins and disable-wins."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError, Replica
from crdt.causality.dots import make_dot
from crdt.types.flag import DISABLE_WINS, DisableWinsFlag, EnableWinsFlag, Flag
from tests.crdt.exchange import converge, exchange, held, regions


@pytest.mark.parametrize("disable_wins", [False, True])
def test_one_of_them_wins(disable_wins: bool) -> None:
    here, there = regions(2)
    flags = [replica.flag("k", disable_wins=disable_wins) for replica in (here, there)]
    flags[0].enable()
    exchange(here, there)
    flags[0].enable()
    flags[1].disable()
    exchange(here, there)
    assert [bool(each) for each in flags] == [not disable_wins] * 2
    flags[1].enable()
    exchange(here, there)
    assert [bool(each) for each in flags] == [True] * 2
    flags[0].disable()
    exchange(here, there)
    assert [bool(each) for each in flags] == [False] * 2


def test_flag_that_is_off_is_not_key() -> None:
    """Rule KEY-15."""
    here = Replica(1)
    here.flag("k").disable()
    assert here.keyspace.seq == 0
    here.flag("k").enable()
    here.flag("k").disable()
    assert here.keyspace.size() == 0
    assert not here.keyspace.tombstones


def test_disable_is_remembered_until_all_have_seen_it() -> None:
    here, there = regions(2)
    here.flag("k", disable_wins=True).enable()
    there.flag("k", disable_wins=True).disable()
    exchange(here, there)
    remembered = here.keyspace.remains(b"k", DISABLE_WINS)
    assert isinstance(remembered, DisableWinsFlag)
    assert remembered.collect({})
    assert remembered.min_dot() == make_dot(here.origin, 1)
    converge(here, there)
    assert not here.keyspace.tombstones
    assert not there.keyspace.tombstones


def test_concurrent_enables_are_two_dots() -> None:
    here, there = regions(2)
    here.flag("k").enable()
    there.flag("k").enable()
    exchange(here, there)
    dots = (make_dot(here.origin, 1), make_dot(there.origin, 1))
    assert held(here).state() == (dots, ())
    assert held(here).siblings() == [(dots[0], True), (dots[1], True)]
    assert held(here).visible() is True
    assert not held(here).collect({})
    here.flag("k").delete()
    assert not here.flag("k")


def test_states_merge_like_operations() -> None:
    here, there = regions(2)
    here.flag("k", disable_wins=True).enable()
    there.flag("k", disable_wins=True).disable()
    there.flag("l").enable()
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert here.to_bytes() == there.to_bytes()
    remembered: Any = here.keyspace.remains(b"k", DISABLE_WINS)
    assert [value for _, value in remembered.siblings()] == [True, False]
    copy = Replica(9)
    copy.merge_bytes(here.to_bytes())
    assert copy.to_bytes() == here.to_bytes()


@pytest.mark.parametrize("make", [EnableWinsFlag, DisableWinsFlag])
@pytest.mark.parametrize("state", [(), (1,), (0, ()), ((), b"1"), 5], ids=repr)
def test_invalid_flag_state_is_refused(make: type[Flag], state: object) -> None:
    with pytest.raises(DecodeError):
        make().load(state)
