"""Options and commands of checks: accepted ones, and errors for the others."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.testing.user_types.options import (
    check_callable,
    check_options,
    commands_of,
    has_parameter,
    reason_to_refuse,
    required_count,
)


def test_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match=r"unknown option `color`. There are "):
        check_options({"color": 1})
    with pytest.raises(ValueError, match=r"`delivery` is 'soon'. Use one of 'causal'"):
        check_options({"delivery": "soon"})
    check_options({"delivery": "any", "sends": "state"})


def test_commands_are_tuples() -> None:
    assert commands_of(["reset", ["add", 1], ("add", 2)]) == (("reset",), ("add", 1), ("add", 2))
    for wrong in ("add", b"add", {"add": 1}):
        with pytest.raises(ValueError, match="Write a list"):
            commands_of(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"3 is not a command. Write a tuple"):
        commands_of([3])


def test_call_that_cannot_be_made_is_explained() -> None:
    def one(argument: Any) -> None:
        pass

    assert reason_to_refuse(one, (1,)) == ""
    assert reason_to_refuse(3, ()) == "is 3, which cannot be called"
    assert reason_to_refuse(one, (1, 2)).startswith("cannot be called with 2 arguments: ")
    assert reason_to_refuse(one, (1,) * 1) == reason_to_refuse(dict, (1,)) == ""
    with pytest.raises(ValueError, match=r"`spec` cannot be called with 0 arguments.*Write `def s"):
        check_callable(one, "`spec`", "def spec(history)", ())


def test_parameters_are_counted() -> None:
    def take(first: int, clock: Any, second: int = 0, *, third: int) -> None:
        pass

    assert required_count(take) == 2
    assert required_count(take, "clock") == 1
    assert has_parameter(take, "clock")
    assert not has_parameter(take, "name")
    assert required_count(dict) == 0
    assert not has_parameter(dict, "clock")
