"""Readings: copied, and compared with the promises of a type."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.testing.history import History, HistoryEvent
from crdt.testing.readings import (
    Expectations,
    difference,
    encoded,
    expectations,
    kept,
    query_name,
    same,
    shorten_text,
)
from crdt.testing.subject import Disagreement, Mistake

VALUE = ("value",)


def is_zero(value: int) -> bool:
    return value == 0


def accept(_value: int) -> None:
    pass


class Unnamed:
    """An invariant without a name that never holds."""

    __name__ = "<lambda>"

    def __call__(self, _value: int) -> bool:
        return False


never: Any = lambda: True  # noqa: E731 - takes no value


def ignore(_law: str) -> None:
    pass


class Incomparable:
    """A value that raises when it is compared."""

    def __eq__(self, other: object) -> bool:
        raise TypeError("not like this")

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def test_query_and_long_value_read_well() -> None:
    assert query_name(("has", "milk")) == "has('milk')"
    assert query_name(VALUE) == "value"
    assert shorten_text("a" * 300, 10) == "'aaaa ... aaaa'"


def test_uncopyable_or_incomparable_value_is_error() -> None:
    with pytest.raises(Mistake, match="cannot be copied"):
        kept({"value": (each for each in ())})
    with pytest.raises(Mistake, match="cannot be compared"):
        same(Incomparable(), 1)


def test_difference_names_first_query() -> None:
    assert difference({"a": 1, "b": 2}, {"b": 3, "c": 4}) == "b"
    assert difference({"a": 1}, {"a": 1}) is None


def test_text_inside_of_values_is_encoded() -> None:
    assert encoded({"a": ["b", ("c", 1)], "d": {"e"}}) == {b"a": [b"b", (b"c", 1)], b"d": {b"e"}}
    with pytest.raises(Mistake, match="one is bytes, the other text"):
        Expectations({}).check_spec("region 1", {"value": {b"a"}}, {"value": {"a"}}, ignore)


def test_invariant_may_assert_or_return() -> None:
    def asserting(value: int) -> None:
        assert value > 0, "too small"

    def holds(*invariants: Any) -> None:
        Expectations({}, invariants).check_invariants("region 1", {"value": 0}, ignore)

    holds(is_zero, accept)
    with pytest.raises(Disagreement, match="shows 0, and `asserting` does not hold: too small"):
        holds(asserting)
    with pytest.raises(Disagreement, match="and the invariant does not hold"):
        holds(Unnamed())


def test_equal_results_pass_and_others_do_not() -> None:
    promises = expectations(None, [VALUE], {"results": lambda history, command: command[1]})
    history = History([], 0, 0)
    promises.check_result("region 1", history, ("add", 1), 1, ignore)
    with pytest.raises(Disagreement, match="returned 2, `results` says 1"):
        promises.check_result("region 1", history, ("add", 1), 2, ignore)


def test_specification_of_unknown_query_is_refused() -> None:
    with pytest.raises(ValueError, match="`spec` is for `has`, which is not among the queries"):
        expectations({"has": len}, [VALUE], {})
    with pytest.raises(ValueError, match="`invariant` cannot be called with 1 argument"):
        expectations(None, [VALUE], {"invariant": [never]})


def test_specification_of_each_part_is_asked_of_its_commands() -> None:
    parts = ("cart", "value")
    queries = [VALUE, ("cart", "has", "milk"), ("value", "has", 1)]
    assert [query_name(query, parts) for query in queries] == [
        "value",
        "cart.has('milk')",
        "value.has(1)",
    ]
    dot = make_dot(make_origin(1), 1)
    history = History([HistoryEvent(("cart", "add", "milk"), dot, 0, 0, 0, 0)], 1)

    def has(part: History, member: str) -> bool:
        return any(event.command == ("add", member) for event in part)

    spec = {"cart": len, "value": len, "cart.has": has}
    expected = expectations(spec, queries, {}, parts).expected(history)
    assert expected == {"value": {"cart": 1, "value": 0}, "cart.has('milk')": True}


def test_specification_of_some_parts_only_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nothing for 'b'\. Write one for each type, or none"):
        expectations({"a": len}, [VALUE], {}, ("a", "b"))
    with pytest.raises(ValueError, match="`spec` for 'a' cannot be called with 1 argument"):
        expectations({"a": never}, [VALUE], {}, ("a",))
