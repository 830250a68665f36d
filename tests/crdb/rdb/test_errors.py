"""The error of damaged values."""

from __future__ import annotations

from crdb.rdb.errors import RdbError


def test_error_is_not_taken_for_one_of_python() -> None:
    """Readers of numbers catch ValueError, and readers of bytes IndexError."""
    assert not issubclass(RdbError, (ValueError, LookupError, OSError))
