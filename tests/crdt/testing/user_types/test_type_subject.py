"""Types for `crdt.types.custom` as subjects: refusals, deletes, queries, several keys."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.testing import Subject, check_type
from crdt.testing.builtin_types import single_types
from crdt.testing.checking import subject_of
from tests.crdt.testing import planted

MILK = [(planted.ADD, b"milk"), (planted.REMOVE, b"milk")]


def nothing(_history: Any) -> Any:
    return {"cart": set[bytes](), "other": set[bytes]()}


class Full(Exception):
    """The error of a full cart."""


class SmallCart(planted.Cart):
    """Refuses a second element."""

    def prepare(self, *command: Any) -> Any:
        if command[0] == planted.ADD and self.dots:
            raise Full
        return command

    def count(self, at_least: int) -> bool:
        return len(self.dots) >= at_least


def test_refusing_type_with_query_passes() -> None:
    report = check_type(SmallCart, MILK, refuses=(Full,), queries=[("count", 1)], schedules=5)
    assert report.laws["equal vectors, equal bytes"] > 0


def test_value_is_read_by_function() -> None:
    report = check_type(planted.Cart, MILK, value=lambda cart: len(cart.dots), schedules=20)
    assert report.laws["equal vectors, equal bytes"] > 0


def test_delete_is_command_where_it_can_be() -> None:
    with_delete, without = (
        subject_of(planted.Cart, MILK),
        subject_of(planted.Cart, MILK, None, {"delete": False}),
    )
    assert isinstance(with_delete, Subject)
    assert isinstance(without, Subject)
    assert with_delete.deletes
    assert not without.deletes


def test_several_types_live_under_key_each() -> None:
    class Other(planted.Cart):
        """The same type, with another code."""

        code = 130

    makes = {"cart": planted.Cart, "other": Other}
    commands = [(key, *command) for key in makes for command in MILK]
    with pytest.raises(AssertionError, match="the specification says"):
        check_type(makes, commands, nothing, schedules=5)
    assert check_type(makes, commands, schedules=5).subject == "Cart, Other"


def test_queries_of_one_of_several_types_are_specified() -> None:
    def count(history: Any, at_least: int) -> bool:
        return len(single_types.add_wins(history)) >= at_least

    makes, commands = {"cart": SmallCart}, [("cart", *command) for command in MILK]
    options: Any = {"refuses": (Full,), "queries": [("cart", "count", 1)], "schedules": 5}

    def always(_history: Any, _at_least: int) -> bool:
        return True

    spec = {"cart": single_types.add_wins, "cart.count": count}
    check_type(makes, commands, spec, **options)
    with pytest.raises(AssertionError, match=r"cart.count\(1\) = False, the spec.* = True"):
        check_type(makes, commands, {"cart.count": always}, **options)
