"""The stable vector, computed from the reports of members."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from crdt.causality.stability import Stability

ONE, TWO, THREE = make_origin(1), make_origin(2), make_origin(3)


def test_unknown_or_silent_member_blocks_stability() -> None:
    """Rule MEM-3."""
    unknown = Stability(None)
    unknown.record_report(2, {ONE: 5}, 100, {ONE: 5})
    assert unknown.stable({ONE: 5}) == {}
    assert unknown.clock(100) == 0
    assert not unknown.leads(1)
    silent = Stability({2, 3})
    silent.record_report(2, {ONE: 5}, 100, {ONE: 5})
    assert silent.stable({ONE: 5}) == {}
    assert silent.clock(100) == 0


def test_lone_member_is_stable_immediately() -> None:
    alone = Stability(set())
    assert alone.stable({ONE: 5}) == {ONE: 5}
    assert alone.clock(100) == 100
    assert alone.leads(1)


def test_least_of_all_reports_is_stable() -> None:
    stability = Stability({2, 3})
    mine = {ONE: 9, TWO: 4, THREE: 2}
    stability.record_report(2, {ONE: 7, TWO: 4, THREE: 2}, 200, mine)
    stability.record_report(3, {ONE: 8, TWO: 3, THREE: 2}, 100, mine)
    assert stability.stable(mine) == {ONE: 7, TWO: 3, THREE: 2}
    assert stability.clock(300) == 100
    assert stability.clock(50) == 50


def test_report_counts_once_what_its_region_wrote_has_come() -> None:
    stability = Stability({2})
    stability.record_report(2, {ONE: 5, TWO: 3}, 200, {ONE: 5, TWO: 2})
    assert stability.stable({ONE: 5, TWO: 2}) == {}
    assert stability.clock(300) == 0
    stability.count_reports({ONE: 5, TWO: 3})
    assert stability.stable({ONE: 5, TWO: 3}) == {ONE: 5, TWO: 3}
    assert stability.clock(300) == 200


def test_of_reports_that_wait_first_and_last_are_kept() -> None:
    stability = Stability({2})
    for seq in range(1, 9):
        stability.record_report(2, {TWO: seq}, 100 * seq, {})
    assert [clock for _, clock, _ in stability.pending[2]] == [100, 800]
    stability.count_reports({TWO: 1})
    assert stability.reports[2] == {TWO: 1}
    stability.count_reports({TWO: 8})
    assert stability.reports[2] == {TWO: 8}


def test_report_of_lost_writes_does_not_block_later_ones() -> None:
    stability = Stability({2})
    stability.record_report(2, {TWO: 5}, 100, {TWO: 2})
    stability.record_report(2, {TWO: 2, TWO + 1: 1}, 150, {TWO: 2, TWO + 1: 1})
    assert stability.clock(300) == 150


def test_earlier_report_that_comes_late_changes_no_vector() -> None:
    stability = Stability({2})
    stability.record_report(2, {ONE: 5}, 200, {ONE: 5})
    stability.record_report(2, {ONE: 3}, 100, {ONE: 5})
    assert stability.stable({ONE: 5}) == {ONE: 5}


def test_latest_clock_counts_also_if_it_was_set_back() -> None:
    stability = Stability({2})
    stability.record_report(2, {ONE: 5}, 7_200_000, {ONE: 5})
    stability.record_report(2, {ONE: 5}, 1000, {ONE: 5})
    assert stability.clock(8_000_000) == 1000
    stability.record_report(2, {ONE: 5}, 0, {ONE: 5})
    assert stability.clock(8_000_000) == 1000


def test_empty_report_is_one_too() -> None:
    stability = Stability({2})
    stability.record_report(2, {}, 100, {ONE: 5})
    assert stability.stable({ONE: 5}) == {}
    assert stability.clock(300) == 100


def test_lowest_region_leads() -> None:
    assert Stability({2, 3}).leads(1)
    assert not Stability({1, 3}).leads(2)


# -- regions that have lost their memory ---------------------------------------------------


def test_reports_before_memory_loss_are_void() -> None:
    stability = Stability({2})
    stability.record_report(2, {ONE: 5}, 200, {ONE: 5})
    stability.record_report(2, {ONE: 5, TWO: 1}, 300, {ONE: 5})
    stability.enter([ONE, TWO + 1])
    assert stability.stable({ONE: 5}) == {}
    assert stability.clock(300) == 0
    assert stability.pending == {}
    stability.record_report(2, {ONE: 5, TWO + 1: 0}, 100, {ONE: 5})
    assert stability.stable({ONE: 5}) == {ONE: 5}
    assert stability.clock(300) == 100


def test_incarnation_is_over_if_later_one_is_present() -> None:
    stability = Stability({2, 3})
    assert not stability.is_over(TWO)
    stability.enter([ONE, TWO + 1])
    assert stability.is_over(TWO)
    assert stability.is_over(ONE + 1)
    assert not stability.is_over(TWO + 1)
    assert not stability.is_over(THREE), "no member has reported the present incarnation"


def test_ended_incarnation_blocks_stability_until_equal() -> None:
    """The last writes of the incarnation may not have observed what all members report, and may
    still arrive."""
    stability = Stability({2, 3})
    stability.enter([ONE, TWO + 1, THREE])
    mine = {ONE: 5, TWO: 1}
    stability.record_report(2, {ONE: 5, TWO: 1}, 100, mine)
    stability.record_report(3, {ONE: 5, TWO: 2}, 100, mine)
    assert stability.stable(mine) == {}, "region 3 holds a write that has not come here"
    mine = {ONE: 5, TWO: 2}
    assert stability.stable(mine) == {}, "nor has it come to region 2"
    stability.record_report(2, mine, 100, mine)
    assert stability.stable(mine) == mine
    assert stability.stable({ONE: 5, TWO: 3}) == {}, "only we hold another"


def test_reports_are_read_and_replaced_by_region() -> None:
    stability = Stability({2})
    assert stability.report_of(2) is None
    assert stability.clock_of(2) == 0
    assert stability.vectors_of(2) == []
    stability.record_report(2, {make_origin(1): 5}, 70, {make_origin(1): 9})
    stability.record_report(2, {make_origin(1): 6, make_origin(2): 1}, 80, {make_origin(1): 9})
    assert stability.report_of(2) == {make_origin(1): 5}
    assert stability.clock_of(2) == 70
    assert stability.vectors_of(2) == [
        {make_origin(1): 6, make_origin(2): 1},
        {make_origin(1): 5},
    ]
    given = {make_origin(1): 4}
    stability.replace_report(2, given)
    given.clear()
    assert stability.report_of(2) == {make_origin(1): 4}
    stability.list_members(None)
    assert stability.members is None
