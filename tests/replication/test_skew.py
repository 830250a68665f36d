"""A wrong clock is reported when it begins to differ and when that is over."""

from __future__ import annotations

from replication.skew import SKEW_MS_MAX, Skews

RTT = 100_000_000


def test_great_difference_is_reported_once() -> None:
    skews = Skews()
    assert not skews.record("eu", 10_000, 10_000, RTT)
    assert skews.record("eu", 7_210_000, 10_000, RTT)
    assert not skews.record("eu", 7_210_200, 10_200, RTT)
    assert (skews.of, skews.reports) == ({"eu": 7_200_000}, 1)
    assert not skews.record("eu", 10_400 + SKEW_MS_MAX - 1, 10_400, RTT), "not over yet"
    assert skews.record("eu", 10_600, 10_600, RTT)
    assert skews.record("eu", 7_210_000, 10_000, RTT)
    assert skews.reports == 2


def test_clock_that_is_behind_counts_too() -> None:
    skews = Skews()
    assert skews.record("eu", 1_000, 10_000, RTT)
    assert skews.of == {"eu": -8_900}


def test_time_under_way_is_no_difference() -> None:
    skews = Skews()
    assert not skews.record("eu", 1_000, 10_000, 9_500_000_000)
    assert skews.of == {"eu": 0}


def test_clock_that_is_not_told_says_nothing() -> None:
    skews = Skews()
    assert not skews.record("eu", 0, 10_000_000, RTT)
    assert skews.of == {}


def test_greatest_is_furthest_from_zero() -> None:
    skews = Skews()
    assert skews.greatest == 0
    skews.record("eu", 10_500, 10_000, 0)
    skews.record("us", 9_000, 10_000, 0)
    assert skews.greatest == -1_000
