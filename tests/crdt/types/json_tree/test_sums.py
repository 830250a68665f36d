"""Sums of increments of JSON numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import CounterOverflow, NotANumber
from crdt.types.json_tree.sums import (
    FLOAT_MAX,
    Sums,
    added,
    are_covered,
    increased,
    is_json_sum,
    merged_sums,
    multiplied,
    next_sum,
    own_sum,
    total,
)

NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
SMALL = st.one_of(st.integers(-1000, 1000), st.sampled_from([0.1, 0.2, -0.5, 1e-9, 1e17, 2.0]))


@given(SMALL, st.lists(SMALL, max_size=6))
def test_one_region_shows_what_floats_add_up_to(number: Any, deltas: list[Any]) -> None:
    sums: Sums = ()
    shown = number
    for seq, delta in enumerate(deltas, 1):
        result = increased(shown, delta)
        amount = next_sum(own_sum(sums, 1), shown, result)
        assert amount is not None
        assert is_json_sum(amount)
        sums = added(sums, 1, seq, amount)
        shown = total(number, sums)
        assert (shown, type(shown)) == (result, type(result))


@given(NUMBERS, NUMBERS, NUMBERS)
def test_concurrent_increments_commute(number: Any, left: Any, right: Any) -> None:
    sums: list[Sums] = []
    for origin, delta in ((1, left), (2, right)):
        try:
            amount = next_sum(0, number, increased(number, delta))
        except (CounterOverflow, NotANumber):
            return
        if amount is None:
            return
        sums.append(added((), origin, 1, amount))
    one = total(number, merged_sums(sums[0], sums[1]))
    assert one == total(number, merged_sums(sums[1], sums[0]))
    assert abs(one) <= FLOAT_MAX


def test_merge_takes_later_sum_of_each_origin() -> None:
    assert merged_sums(((1, 1, 5), (2, 9, 1)), ((1, 3, 7), (3, 1, 2))) == (
        (1, 3, 7),
        (2, 9, 1),
        (3, 1, 2),
    )
    assert are_covered(((1, 3, 7),), {1: 3})
    assert not are_covered(((1, 3, 7),), {1: 2})


def test_results_that_no_number_holds_are_refused() -> None:
    with pytest.raises(CounterOverflow):
        increased(2**63 - 1, 1)
    with pytest.raises(CounterOverflow):
        multiplied(2**62, 4)
    with pytest.raises(NotANumber):
        increased(FLOAT_MAX, FLOAT_MAX)
    with pytest.raises(NotANumber):
        multiplied(1e300, 1e300)
    assert multiplied(3, 1.5) == 4.5
    assert total(FLOAT_MAX, ((1, 1, b"%d.0" % int(FLOAT_MAX)),)) == FLOAT_MAX


def test_integers_beyond_64_bits_show_as_floats() -> None:
    assert total(2**63 - 1, ((1, 1, 1),)) == float(2**63)
    assert next_sum(2**63 - 1, 0, 1) is None
    assert increased(2**64 - 1, 1) == float(2**64)


@pytest.mark.parametrize("item", [1.5, None, b"1", b".5", b"1.", b"1e5", b"x", 2**63, True])
def test_other_forms_of_sums_are_refused(item: object) -> None:
    assert not is_json_sum(item)
