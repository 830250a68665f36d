"""Multi-value registers return all concurrent values."""

from __future__ import annotations

import pytest

from crdt import DecodeError, Replica
from crdt.causality.dots import make_dot
from crdt.types.multi_value import MultiValue
from tests.crdt.exchange import exchange, held, regions


def test_all_concurrent_values_are_shown() -> None:
    here, there = regions(2)
    here.multi_value("k").set("a")
    there.multi_value("k").set("b")
    exchange(here, there)
    assert here.multi_value("k").values() == there.multi_value("k").values() == {"a", "b"}
    assert held(here).min_dot() == make_dot(here.origin, 1)
    assert held(here).siblings() == [
        (make_dot(here.origin, 1), b"a"),
        (make_dot(there.origin, 1), b"b"),
    ]


def test_write_resolves_observed_siblings() -> None:
    here, there, third = regions()
    here.multi_value("k").set("a")
    there.multi_value("k").set("b")
    exchange(here, there)
    here.multi_value("k").set("both")
    third.multi_value("k").set("c")
    exchange(here, there, third)
    assert there.multi_value("k").values() == {"both", "c"}


def test_equal_values_are_one() -> None:
    here, there = regions(2)
    here.multi_value("k").set("a")
    there.multi_value("k").set("a")
    exchange(here, there)
    assert held(here).visible() == [b"a"]
    assert len(held(here).siblings()) == 2


def test_delete_removes_what_it_saw() -> None:
    here, there = regions(2)
    here.multi_value("k").set("a")
    exchange(here, there)
    here.multi_value("k").delete()
    there.multi_value("k").set("b")
    exchange(here, there)
    assert here.multi_value("k").values() == {"b"}


def test_states_merge_like_operations() -> None:
    here, there = regions(2)
    here.multi_value("k").set("a")
    exchange(here, there)
    here.multi_value("k").set("b")
    there.multi_value("k").set("c")
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert here.to_bytes() == there.to_bytes()
    copy = Replica(9)
    copy.merge_bytes(here.to_bytes())
    assert copy.multi_value("k").values() == {"b", "c"}


@pytest.mark.parametrize("state", [(1,), (0, b"a"), (1, "a"), [1, b"a"]], ids=repr)
def test_invalid_multi_value_state_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        MultiValue().load(state)
