"""Tests of the short form of a field or score."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.types.components.lone_write import LoneScore, LoneText, compact, has_short_form

SCORES = st.one_of(
    st.integers(-(1 << 64), 1 << 64),
    st.floats(allow_nan=True),
    st.integers(-(1 << 60), 1 << 60).map(float),
)


@given(SCORES)
def test_short_form_restores_what_was_written(score: float) -> None:
    if has_short_form(score):
        restored = LoneScore(1, 2, float(score)).written()
        assert (type(restored), restored) == (type(score), score)


@pytest.mark.parametrize("score", [0, 7, -3, 1.5, math.inf, -math.inf, 1e300, (1 << 53) - 1])
def test_usual_score_has_short_form(score: float) -> None:
    assert has_short_form(score)


@pytest.mark.parametrize("score", [3.0, -0.0, math.nan, 1 << 53, "1"])
def test_other_score_has_no_short_form(score: object) -> None:
    assert not has_short_form(score)


def test_whole_score_is_written_as_integer() -> None:
    assert (type(compact(3.0)), compact(3.0)) == (int, 3)
    assert compact(float(1 << 53)) == float(1 << 53)


def test_text_is_rewritten_in_place() -> None:
    lone = LoneText(1, 2, b"a")
    copy = lone.copy()
    assert lone.rewrite(3, 4, b"b")
    assert (lone.dot, lone.stamp, lone.written()) == (3, 4, b"b")
    assert (copy.dot, copy.stamp, copy.written()) == (1, 2, b"a")
    assert not lone.rewrite(5, 6, 7)
    assert lone.dot == 3


def test_score_is_rewritten_in_place() -> None:
    lone = LoneScore(1, 2, 1.0)
    copy = lone.copy()
    assert lone.rewrite(3, 4, 2.5)
    assert (lone.dot, lone.stamp, lone.written()) == (3, 4, 2.5)
    assert (copy.dot, copy.stamp, copy.written()) == (1, 2, 1)
    assert not lone.rewrite(5, 6, 3.0)
    assert lone.dot == 3
