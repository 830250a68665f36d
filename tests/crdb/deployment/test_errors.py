"""Values in error messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.deployment.errors import hint, shown


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.floats(), st.lists))
def test_shown_value_is_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 60
    assert text.isprintable()


def test_hint_is_there_only_if_something_is_near() -> None:
    assert hint("prot", ["port", "host"]) == '; did you mean "port"?'
    assert hint("zzzz", ["port", "host"]) == ""
