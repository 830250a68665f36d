"""Origins, dots and vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import (
    DOT_MAX,
    INCARNATION_MAX,
    ORIGIN_MAX,
    SEQ_MAX,
    covers,
    dominates,
    incarnation_of,
    join,
    join_dots,
    lacking,
    make_dot,
    make_origin,
    meet,
    name_origin,
    origin_of,
    region_of,
    seq_of,
)

regions, incarnations = st.integers(1, 255), st.integers(0, INCARNATION_MAX)
vectors = st.dictionaries(st.integers(1, 4), st.integers(0, 5))


@given(regions, incarnations, st.integers(1, SEQ_MAX))
def test_origin_and_dot_come_apart_again(region: int, incarnation: int, seq: int) -> None:
    origin = make_origin(region, incarnation)
    assert (region_of(origin), incarnation_of(origin)) == (region, incarnation)
    dot = make_dot(origin, seq)
    assert (origin_of(dot), seq_of(dot)) == (origin, seq)
    assert origin <= ORIGIN_MAX
    assert dot <= DOT_MAX < 1 << 63


@pytest.mark.parametrize(("region", "incarnation"), [(0, 0), (256, 0), (1, -1), (1, 1 << 14)])
def test_invalid_region_or_incarnation_is_refused(region: int, incarnation: int) -> None:
    with pytest.raises(ValueError, match=r"^(region|incarnation) is -?\d+: use "):
        make_origin(region, incarnation)


def test_people_write_origins_briefly() -> None:
    assert name_origin(make_origin(2)) == "2"
    assert name_origin(make_origin(2, 1)) == "2.1"


def test_lower_region_comes_first_in_any_incarnation() -> None:
    assert make_origin(1, INCARNATION_MAX) < make_origin(2)


@given(vectors, st.integers(1, 4), st.integers(1, 5))
def test_vector_covers_what_it_counts(vector: dict[int, int], origin: int, seq: int) -> None:
    assert covers(vector, make_dot(origin, seq)) == (vector.get(origin, 0) >= seq)


@given(vectors, vectors)
def test_join_and_meet_are_bounds(left: dict[int, int], right: dict[int, int]) -> None:
    def effects(vector: dict[int, int]) -> set[tuple[int, int]]:
        return {(origin, n) for origin, seq in vector.items() for n in range(1, seq + 1)}

    assert effects(join(left, right)) == effects(left) | effects(right)
    assert effects(meet(left, right)) == effects(left) & effects(right)
    assert dominates(left, right) == (effects(left) >= effects(right))


@given(vectors, vectors)
def test_missing_dots_are_counted(left: dict[int, int], right: dict[int, int]) -> None:
    assert lacking(left, join(left, right)) == sum(join(left, right).values()) - sum(left.values())


def test_unseen_dot_survives_join() -> None:
    both, removed_here, removed_there, new_here = (make_dot(1, seq) for seq in range(1, 5))
    new_there = make_dot(2, 1)
    ours = {both: "b", removed_there: "t", new_here: "h"}
    others = {both: "b", removed_here: "r", new_there: "o"}
    left = join_dots(ours, others, {1: 4}, {1: 3, 2: 1})
    assert left == {both: "b", new_here: "h", new_there: "o"}
    assert left == join_dots(others, ours, {1: 3, 2: 1}, {1: 4})
