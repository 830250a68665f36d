"""What everybody has seen: reports count once their writes have come (rules MEM-2, MEM-3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdt.dots import Vector, make_origin
from crdt.stability import Stability, arrived

A, B, C = make_origin(1), make_origin(2), make_origin(3)
VECTORS = st.dictionaries(st.sampled_from([A, B, C]), st.integers(1, 6))


def test_nothing_is_stable_before_every_member_has_reported() -> None:
    stability = Stability({2, 3})
    mine = {A: 5}
    assert stability.stable(mine) == {}
    stability.heard(2, {A: 4}, 100, mine)
    assert (stability.stable(mine), stability.clock(120)) == ({}, 0)
    stability.heard(3, {A: 3}, 90, mine)
    assert (stability.stable(mine), stability.clock(120)) == ({A: 3}, 90)
    assert stability.clock(80) == 80


def test_nothing_is_stable_while_the_members_are_unknown() -> None:
    stability = Stability(None)
    stability.heard(2, {A: 4}, 100, {A: 5})
    assert (stability.stable({A: 5}), stability.clock(100)) == ({}, 0)
    assert not stability.leads(1)


def test_alone_all_of_ours_is_stable_and_the_duty_is_ours() -> None:
    stability = Stability(set())
    assert (stability.stable({A: 5}), stability.clock(7)) == ({A: 5}, 7)
    assert stability.leads(1)


def test_the_lowest_region_leads() -> None:
    assert Stability({2, 3}).leads(1)
    assert not Stability({1, 3}).leads(2)


def test_a_report_waits_until_what_its_region_wrote_has_come() -> None:
    stability = Stability({2})
    stability.heard(2, {A: 1, B: 2}, 50, {A: 1, B: 1})
    assert (stability.stable({A: 1, B: 1}), stability.clock(60)) == ({}, 0)
    stability.settle({A: 1, B: 2})
    assert (stability.stable({A: 1, B: 2}), stability.clock(60)) == ({A: 1, B: 2}, 50)


def test_an_earlier_report_that_comes_late_takes_nothing_back() -> None:
    stability, mine = Stability({2}), {A: 5}
    stability.heard(2, {A: 4}, 50, mine)
    stability.heard(2, {A: 2}, 40, mine)
    assert (stability.stable(mine), stability.clock(60)) == ({A: 4}, 50)


def test_of_the_waiting_reports_the_first_and_the_last_are_kept() -> None:
    stability = Stability({2})
    for seq in range(1, 6):
        stability.heard(2, {B: seq}, seq, {})
    assert stability.pending == {2: [({B: 1}, 1), ({B: 5}, 5)]}
    stability.settle({B: 1})
    assert stability.stable({B: 1}) == {B: 1}
    stability.settle({B: 5})
    assert stability.stable({B: 5}) == {B: 5}


def test_a_region_that_lost_its_memory_takes_back_what_still_waited() -> None:
    stability, reborn = Stability({2}), make_origin(2, 1)
    stability.heard(2, {B: 9}, 50, {})
    stability.heard(2, {B: 3, reborn: 1}, 60, {B: 3})
    stability.settle({B: 3, reborn: 1})
    assert stability.stable({B: 3, reborn: 1}) == {B: 3, reborn: 1}


def test_an_empty_report_counts_as_a_report() -> None:
    stability = Stability({2})
    stability.heard(2, {}, 30, {A: 1})
    assert stability.reports == {2: {}}
    assert (stability.stable({A: 1}), stability.clock(40)) == ({}, 30)


@given(VECTORS, VECTORS, VECTORS)
def test_what_is_stable_is_the_least_of_all(mine: Vector, two: Vector, three: Vector) -> None:
    stability = Stability({2, 3})
    stability.heard(2, two, 0, mine)
    stability.heard(3, three, 0, mine)
    expected: Vector = {}
    if mine.get(B, 0) >= two.get(B, 0) and mine.get(C, 0) >= three.get(C, 0):
        least = {o: min(v.get(o, 0) for v in (mine, two, three)) for o in (A, B, C)}
        expected = {origin: seq for origin, seq in least.items() if seq}
    assert stability.stable(mine) == expected


def test_only_what_the_region_itself_wrote_is_waited_for() -> None:
    assert arrived(2, {A: 7, B: 1}, {B: 1})
    assert not arrived(2, {make_origin(2, 4): 1}, {B: 1})
