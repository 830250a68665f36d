"""Clock skew: the start and the end of a difference are reported."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replication.mesh.skew import MS, SKEW_MS_MAX, TRIP_MS_MAX, Skews

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


def test_delay_is_not_clock_skew() -> None:
    skews = Skews()
    assert not skews.record("eu", 8_500, 10_000, 1_500 * MS)
    assert skews.of == {"eu": 0}


def test_slow_exchange_is_discarded() -> None:
    """A busy host took nine seconds to answer. That shows neither a wrong clock nor the end of
    one."""
    skews = Skews()
    assert not skews.record("eu", 1_000, 10_000, (TRIP_MS_MAX + 1) * MS)
    assert not skews.record("eu", 1_000, 10_000, None)
    assert (skews.of, skews.reports) == ({}, 0)
    assert skews.record("eu", 3_600_000, 10_000, TRIP_MS_MAX * MS)
    assert not skews.record("eu", 10_000, 10_000, (TRIP_MS_MAX + 1) * MS)
    assert skews.of == {"eu": 3_590_000}


@given(
    st.integers(-SKEW_MS_MAX, SKEW_MS_MAX),
    st.integers(0, 30_000 * MS),
    st.integers(0, 30_000 * MS),
)
def test_delays_raise_no_false_alarm(skew: int, there: int, back: int) -> None:
    """Correct clocks raise no alarm, whatever the delays in both directions."""
    skews = Skews()
    sent_ms, received_ms = 100_000, 100_000 + back // MS
    assert not skews.record("eu", sent_ms + skew, received_ms, there + back)
    assert skews.reports == 0


def test_missing_clock_reports_no_skew() -> None:
    skews = Skews()
    assert not skews.record("eu", 0, 10_000_000, RTT)
    assert skews.of == {}


def test_greatest_is_furthest_from_zero() -> None:
    skews = Skews()
    assert skews.greatest == 0
    skews.record("eu", 10_500, 10_000, 0)
    skews.record("us", 9_000, 10_000, 0)
    assert skews.greatest == -1_000
