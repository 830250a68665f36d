"""List handles: slices, copies and sums, as of Python's list."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import Replica
from tests.crdt.exchange import deliver_to

ITEMS = st.lists(st.sampled_from("abcde"), max_size=8)
PLACES = st.none() | st.integers(-10, 10)


@given(ITEMS, ITEMS, PLACES, PLACES, st.sampled_from([None, 1, 2, 3, -1, -2]))
def test_slices_are_assigned_as_those_of_list(
    held: list[str], new: list[str], start: int | None, stop: int | None, step: int | None
) -> None:
    here, there = Replica(1), Replica(2)
    handle = here.list("k")
    handle.extend(held)
    place = slice(start, stop, step)
    try:
        held[place] = new
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)):
            handle[place] = new
    else:
        handle[place] = new
    assert handle == held
    deliver_to(here, there)
    assert there.list("k") == held


def test_non_text_is_refused_without_change() -> None:
    handle: Any = Replica(1).list("k")
    handle.extend(["a", "b"])
    with pytest.raises(TypeError, match="expected str or bytes, not int"):
        handle[0:1] = ["x", 5]
    with pytest.raises(TypeError, match="expected str or bytes, not int"):
        handle.append(5)
    assert handle.value == ["a", "b"]


def test_missing_value_is_named() -> None:
    queue = Replica(1).list("queue")
    queue.extend(["a", "b", "a"])
    assert (queue.index("a"), queue.index("a", 1), queue.index("b", -3, -1)) == (0, 2, 1)
    for search in (partial(queue.index, "z"), partial(queue.index, "a", 1, 2)):
        with pytest.raises(ValueError, match=r"is not in the list b'queue'"):
            search()
    with pytest.raises(ValueError, match=r"'z' is not in the list b'queue'"):
        queue.remove("z")
    assert queue == ["a", "b", "a"]


def test_copies_and_sums_are_lists() -> None:
    replica = Replica(1)
    handle: Any = replica.list("k")
    handle.extend(["a", "b"])
    assert handle.copy() == handle.value == ["a", "b"]
    assert handle.__add__(["c"]) == ["a", "b", "c"]
    assert handle + handle == ["a", "b", "a", "b"]
    with pytest.raises(TypeError):
        operator.add(handle, "c")
