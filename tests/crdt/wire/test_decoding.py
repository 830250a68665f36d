"""Checks of external input."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdt.errors import DecodeError
from crdt.wire.decoding import bytes_of, integer_of, is_tuple, items_of, items_of_version, tuple_of


def test_valid_value_is_decoded() -> None:
    assert tuple_of((1, 2), "a pair", 2) == (1, 2)
    assert items_of((1, 2, 3), 3, "a triple") == (1, 2, 3)
    assert integer_of(7, "a week", 1, 7) == 7
    assert bytes_of(b"x", "a name") == b"x"
    assert is_tuple((), 2)
    assert not is_tuple([], 1)


WRONG: dict[str, Callable[[], object]] = {
    "a list": lambda: tuple_of([1, 2], "it"),
    "three": lambda: tuple_of((1, 2, 3), "it", 2),
    "one": lambda: items_of((1,), 2, "it"),
    "one of a version": lambda: items_of_version((7,), 7, 2, "it"),
    "bytes": lambda: items_of(b"ab", 2, "it"),
    "a boolean": lambda: integer_of(True, "it", 0, 1),
    "too much": lambda: integer_of(8, "it", 1, 7),
    "too little": lambda: integer_of(0, "it", 1, 7),
    "text": lambda: bytes_of("x", "it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_decode_error_names_fault(name: str) -> None:
    with pytest.raises(DecodeError, match=r"^it: expected"):
        WRONG[name]()
