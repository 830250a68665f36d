"""The state of the model: replies in any order, random choices, and effects."""

from __future__ import annotations

from typing import Any

import pytest

from sim.redis.commands import execute
from sim.redis.state import (
    DEADLINE_MAX,
    AnyOrder,
    CommandFailure,
    ModelItem,
    RedisModel,
    bounds,
    choose_random,
    integer,
)


def test_order_of_members_is_free() -> None:
    expected = AnyOrder(("a", "1", "b", "2"), 2)
    assert expected.equals(["b", "2", "a", "1"])
    assert not expected.equals(["b", "1", "a", "2"])
    assert not expected.equals(["a", "1"])
    assert not expected.equals(None)


def test_model_leaves_its_source_unchanged() -> None:
    item = ModelItem("set", {"a"})
    model = RedisModel({"s": item}, 0)
    execute(model, ("SADD", "s", "b"), 1)
    assert item == ModelItem("set", {"a"})
    assert model.items == {"s": ModelItem("set", {"a", "b"})}


@pytest.mark.parametrize(
    ("args", "found", "expected"),
    [
        ((), "a", "a"),
        ((), "x", "a"),
        (("2",), ["b", "a"], ["b", "a"]),
        (("2",), ["b"], ["a", "b"]),
        (("2",), ["b", "b"], ["a", "b"]),
        (("2",), ["b", "x"], ["a", "b"]),
        (("2",), None, ["a", "b"]),
        (("-3",), ["b", "b", "a"], ["b", "b", "a"]),
        (("9",), ["c", "b", "a"], ["c", "b", "a"]),
    ],
)
def test_random_choice_has_to_be_possible(args: tuple[str, ...], found: Any, expected: Any) -> None:
    assert choose_random({"a", "b", "c"}, args, found) == expected


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        ("SADD s a", 1),  # wins over a concurrent SREM
        ("SREM s x", 0),
        ("SREM s a", 1),
        ("PERSIST t", 1),  # wins over a concurrent PEXPIRE
        ("PERSIST nothing", 0),
        ("SET t v", 1),
        ("SET t v NX", 0),
        ("SETRANGE t 0 ", 0),
        ("SETBIT t 1 1", 0),
        ("PEXPIRE t 5 XX", 0),
        ("PEXPIRE t 5", 1),
        ("DEL t s nothing", 2),
        ("DEL nothing", 0),
        ("SINTERSTORE nothing s t2", 0),
        ("ZADD z XX 1 a", 0),
        ("LTRIM l 0 -1", 0),
        ("GET t", 0),
    ],
)
def test_changes_for_other_regions_are_counted(command: str, sent: int) -> None:
    items = {
        "s": ModelItem("set", {"a"}),
        "t": ModelItem("string", "v"),
        "l": ModelItem("list", ["a"]),
    }
    model = RedisModel(items, 0)
    execute(model, command.split(" "), None)
    assert model.sent == sent


def test_deadline_that_is_too_late_is_refused() -> None:
    model = RedisModel({"k": ModelItem("string", "v")}, 0)
    assert execute(model, ("PEXPIREAT", "k", str(DEADLINE_MAX)), None) == 1
    with pytest.raises(CommandFailure, match="ERR"):
        model.deadline_at(DEADLINE_MAX + 1, 1, is_relative=False)
    assert model.items["k"].deadline == DEADLINE_MAX


def test_only_canonical_integers_are_read() -> None:
    assert integer("-12") == -12
    for word in ("", "-", "01", "-0", "1.0", "a", str(1 << 63)):
        with pytest.raises(CommandFailure, match="ERR"):
            integer(word)


def test_bounds_include_both_ends() -> None:
    assert bounds(5, 1, 2) == (1, 3)
    assert bounds(5, -100, -1) == (0, 5)
    assert bounds(5, 3, 1) == (3, 3)
