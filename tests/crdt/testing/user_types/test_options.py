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


@pytest.mark.parametrize(
    ("name", "given", "error", "text"),
    [
        ("schedules", "5", TypeError, "`schedules`: expected an integer, not str"),
        ("schedules", 0, ValueError, "`schedules` is 0: use 1 or more"),
        ("seed", None, TypeError, "`seed`: expected an integer, not NoneType"),
        ("seed", -1, ValueError, "`seed` is -1: use 0 or more"),
        ("delete", 1, TypeError, "`delete`: expected True or False, not int"),
        ("duplicates", "no", TypeError, "`duplicates`: expected True or False, not str"),
        ("keep_refused", None, TypeError, "`keep_refused`: expected True or False"),
        ("value", 5, ValueError, "`value` is 5, which cannot be called. Write `lambda replica"),
        ("merge", len, ValueError, "`merge` cannot be called with 2 arguments: .*Write `lambda"),
        ("on_progress", 5, ValueError, "`on_progress` is 5, which cannot be called. Write `lam"),
        ("mutators", [1], TypeError, "`mutators`: expected Mapping, not list: use {'add': "),
        ("mutators", {"add": 1}, ValueError, "the mutator 'add' is 1, which cannot be called"),
        ("refuses", ValueError, TypeError, r"`refuses`: expected tuple, not type: use \(Value"),
        ("refuses", (5,), TypeError, r"`refuses` has 5, which is not an exception. Use \(Value"),
    ],
)
def test_option_of_wrong_type_is_named(
    name: str, given: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        check_options({name: given})


def test_commands_are_tuples() -> None:
    assert commands_of(["reset", ["add", 1], ("add", 2)]) == (("reset",), ("add", 1), ("add", 2))
    for wrong in ("add", b"add", {"add": 1}):
        with pytest.raises(ValueError, match="Write a list"):
            commands_of(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"`queries` is 5. Write a list"):
        commands_of(5, "queries")  # pyright: ignore[reportArgumentType]
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
