"""Vectors as text: formatting and parsing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.commands.replication.vectors import NOT_A_VECTOR, format_vector, parse_vector
from crdb.engine.errors import CommandError
from crdt.causality.dots import INCARNATION_MAX, REGION_MAX, SEQ_MAX, make_origin

origins = st.builds(make_origin, st.integers(1, REGION_MAX), st.integers(0, INCARNATION_MAX))


def test_vector_is_written_by_origin() -> None:
    vector = {make_origin(2): 7, make_origin(1): 42, make_origin(2, 1): 9}
    assert format_vector(vector) == b"1=42,2=7,2.1=9"
    assert format_vector({}) == b""


@given(st.dictionaries(origins, st.integers(0, SEQ_MAX)))
def test_vector_is_read_back(vector: dict[int, int]) -> None:
    assert parse_vector(format_vector(vector)) == vector


@pytest.mark.parametrize(
    "text",
    [
        *(b"1", b"1=", b"=1", b"1=2,", b",1=2", b"1=2 ", b"0=1", b"256=1", b"1.16384=1", b"1=-1"),
        *(b"1=2,1=3", b"1=2,1.0=3", b"1=1099511627776", b"a=1", b"1=2;2=3", b"1=\xb2", b"1=2\n"),
    ],
)
def test_invalid_vector_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_vector(text)
    assert refused.value.text == NOT_A_VECTOR
