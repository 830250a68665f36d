"""Errors for arguments of a wrong type."""

from __future__ import annotations

import pytest

from crdt.wire.expect import UNBOUNDED, expect, expect_bool, expect_integer, is_iterable


def test_right_type_passes() -> None:
    expect(b"x", bytes)
    expect(True, int)


def test_wrong_type_is_named_with_hint() -> None:
    with pytest.raises(TypeError, match=r"^expected bytes, not str$"):
        expect("x", bytes)
    with pytest.raises(TypeError, match=r"^expected str, not int: use repr$"):
        expect(1, str, "use repr")


def test_name_of_parameter_comes_first() -> None:
    with pytest.raises(TypeError, match=r"^data: expected bytes, not str: use 5$"):
        expect("x", bytes, "use 5", "data")


def test_integer_is_returned_as_plain_int() -> None:
    class Number:
        def __index__(self) -> int:
            return 7

    assert expect_integer(Number(), "n", 7, 7) == 7
    assert type(expect_integer(Number(), "n", 0)) is int
    assert expect_integer(UNBOUNDED, "n", 0) == UNBOUNDED


@pytest.mark.parametrize("item", [1.0, "1", None, True, False, b"1", [1]], ids=repr)
def test_no_integer_is_named(item: object) -> None:
    text = rf"^n: expected an integer, not {type(item).__name__}: use 5$"
    with pytest.raises(TypeError, match=text):
        expect_integer(item, "n", 0, hint="use 5")


def test_limits_of_integer_are_named() -> None:
    with pytest.raises(ValueError, match=r"^n is -1: use 0 or more$"):
        expect_integer(-1, "n", 0)
    with pytest.raises(ValueError, match=r"^n is 9: use 1 to 8; it counts$"):
        expect_integer(9, "n", 1, 8, "it counts")
    with pytest.raises(ValueError, match=r"^n is 0: use 1 to 8$"):
        expect_integer(0, "n", 1, 8)
    with pytest.raises(ValueError, match=r"^n is 1{40}\.\.\.: use 1 to 8$"):
        expect_integer(int("1" * 80), "n", 1, 8)


def test_switch_is_true_or_false() -> None:
    assert expect_bool(True, "x") is True
    assert expect_bool(False, "x") is False
    for odd in (1, 0, "yes", None):
        with pytest.raises(TypeError, match=r"^x: expected True or False, not "):
            expect_bool(odd, "x")


@pytest.mark.parametrize(("item", "expected"), [([], True), ("a", False), (b"", False), (5, False)])
def test_text_is_not_taken_for_iterable(item: object, expected: bool) -> None:
    assert is_iterable(item) is expected
