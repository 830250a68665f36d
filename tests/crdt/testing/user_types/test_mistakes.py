"""Each mistake in the definition of a type gives one sentence that names the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from crdt.testing import Foreign, HistoryEvent, check_type
from crdt.testing.user_types.mistakes import check_comparable, new_replica
from tests.crdt.testing import planted
from tests.crdt.testing import right_types as right

CART = [(planted.ADD, b"milk"), (planted.REMOVE, b"milk")]
ADD = [("add", 1)]


class Shared:
    """Stores its numbers in the class."""

    numbers: list[int] = []  # noqa: RUF012 - the mistake itself

    def add(self, number: int) -> None:
        self.numbers.append(number)

    def merge(self, other: Shared) -> None:
        pass

    def value(self) -> Any:
        return list(self.numbers)


class Apart:
    """Has no method that sends anything."""

    def add(self, number: int) -> None:
        pass

    def value(self) -> Any:
        return 0


class Blind(Apart):
    """Cannot be read."""

    value: Any = property()

    def apply(self, effect: Any) -> None:
        pass


class Narrow(Apart):
    """Its `apply` has no parameter."""

    def apply(self) -> None:
        pass


class NarrowMerge(Apart):
    """Its `merge` has no parameter."""

    def merge(self) -> None:
        pass


class Prepared(Apart):
    """Its `prepare` has only the parameter of the name."""

    def prepare(self, name: str) -> Any:
        return name

    def apply(self, effect: Any) -> None:
        pass


class Opaque(Apart):
    """Its value is an object without equality."""

    def merge(self, other: Opaque) -> None:
        pass

    def value(self) -> Any:
        return object()


class NotANumber(Opaque):
    """Its value does not equal itself."""

    def value(self) -> Any:
        return float("nan")


class Demanding(Apart):
    """Its constructor has two parameters."""

    def __init__(self, replica: int, name: str) -> None:
        pass


class Unnumbered(planted.Cart):
    """Has no type code."""

    code: Any = property()


class Unfinished:
    """Lacks most of the methods that a replica calls."""

    code = 129

    def apply(self, effect: Any, dot: int, observed: Any) -> None:
        pass


class WrongMerge(planted.Cart):
    """Merges without vectors."""

    def merge(self, other: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


MAPS = {"a": right.MaxMap}
PUT = [("a", "put", "x", 1)]
DOCUMENT = Foreign(make=set[int], mutate=print, apply=print, value=len)

MISTAKES: list[tuple[Any, Any, dict[str, Any], str]] = [
    (3, ADD, {}, "3 is not a class. Pass the class itself"),
    (Demanding, ADD, {}, "Demanding cannot be made.*Write `def __init__"),
    (Apart, ADD, {}, "neither `apply` nor `merge`.*Write `def apply"),
    (Apart, ADD, {"sends": "effect"}, "Apart has no `apply`. Write `def apply"),
    (Blind, ADD, {}, "Blind has no `value`. Write `def value.*or pass `value`"),
    (Narrow, ADD, {}, "Narrow.apply cannot be called.*Write `def apply"),
    (NarrowMerge, ADD, {}, "NarrowMerge.merge cannot be called.*Write `def merge"),
    (Prepared, ADD, {}, "Prepared.prepare cannot be called with 2 arguments"),
    (Opaque, ADD, {}, "no two of these are equal. Return plain data"),
    (NotANumber, ADD, {}, "nan does not equal itself. Return another"),
    (Shared, ADD, {}, "has changed another.*`__init__`"),
    (right.MaxMap, ADD, {}, "no method `add`.*pass `mutators`"),
    (right.MaxMap, [("put", 1)], {}, "`put` cannot be called"),
    (right.MaxMap, [("put", "a", 1)], {"queries": [("value", 1)]}, "query value.1. cannot"),
    ({"a": right.MaxMap}, [("b", "put")], {}, "does not begin with the name of a type: 'a'"),
    (Unfinished, CART, {}, "lacks `def merge.self, other, mine, theirs."),
    (Unnumbered, CART, {}, "has no `code`. Write `code = 128`"),
    (WrongMerge, CART, {}, "WrongMerge.merge cannot.*Write `def merge.self, other, mine"),
    (planted.Cart, CART, {"sends": "state"}, "`sends` is not for a `crdt.types.custom` type"),
    (planted.Cart, [("add", 1)], {}, "does not begin with a number"),
    (right.MaxMap, 3, {}, "`commands` is 3. Write a list"),
    ({}, ADD, {}, "types is empty. Write a dict"),
    ({"a": right.MaxMap}, ["a"], {}, "'a',. lacks the command behind the name"),
    (MAPS, PUT, {"queries": ["a"]}, "'a',. lacks the query behind the name"),
    (MAPS, PUT, {"queries": ["has"]}, "'has',. does not begin with the name of a type"),
    (MAPS, PUT, {"delete": True}, "`delete` is for `crdt.types.custom` types. Write a method"),
    (MAPS, PUT, {"sends": {"b": "state"}}, "`sends` is for 'b', but the subject has no such type"),
    (MAPS, PUT, {"sends": {"a": "states"}}, "`sends` is 'states'. Use one of"),
    (right.MaxMap, [("put", "a", 1)], {"sends": {"a": "state"}}, "the subject has no such type"),
    (DOCUMENT, ADD, {"merge": max}, "`merge` has no effect on a `Foreign` document"),
    (
        {"a": planted.Cart, "b": right.MaxMap},
        [("a", *command) for command in CART],
        {},
        "only Cart is for `crdt.types.custom`.*Check types of both kinds apart",
    ),
    (
        {"a": planted.Cart},
        [("a", *command) for command in CART],
        {"delete": True},
        "`delete` is for one type",
    ),
]


@pytest.mark.parametrize(("make", "commands", "options", "sentence"), MISTAKES)
def test_mistake_names_remedy(make: Any, commands: Any, options: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_type(make, commands, schedules=1, **options)


def test_text_compared_with_bytes_is_mistake() -> None:
    def adds(history: Sequence[HistoryEvent]) -> set[str]:
        return {event.command[1] for event in history if event.command[0] == planted.ADD}

    with pytest.raises(ValueError, match="Pass bytes in the commands, or decode in `value`"):
        check_type(planted.Cart, [(planted.ADD, "milk")], adds, delete=False)


def test_document_is_made_by_its_functions() -> None:
    add = Foreign(make=set[int], mutate=print, apply=print, value=len)
    with pytest.raises(ValueError, match="commands is empty"):
        check_type(add, [])
    assert new_replica(set) == set()


def test_type_with_equality_is_left_to_schedules() -> None:
    check_comparable("Unsteady", {"value": 1}, {"value": 2})
    with pytest.raises(ValueError, match="Unsteady: `other` returns a object, and no two"):
        check_comparable(
            "Unsteady", {"value": 1, "other": object()}, {"value": 2, "other": object()}
        )
