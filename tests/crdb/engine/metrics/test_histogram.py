"""Histograms of durations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.metrics.histogram import BUCKETS, Histogram, bucket_of, end_of


@given(st.integers(0, 1 << 43))
def test_bucket_is_exact_to_one_eighth(nanoseconds: int) -> None:
    end = end_of(bucket_of(nanoseconds))
    assert nanoseconds <= end or bucket_of(nanoseconds) == BUCKETS - 1
    assert end - nanoseconds <= nanoseconds / 8


def test_buckets_follow_each_other() -> None:
    for bucket in range(BUCKETS - 1):
        assert bucket_of(end_of(bucket)) == bucket
        assert bucket_of(end_of(bucket) + 1) == bucket + 1


def test_duration_out_of_range_is_counted_at_end() -> None:
    assert bucket_of(-5) == 0
    assert bucket_of(1 << 60) == BUCKETS - 1


def test_percentiles() -> None:
    histogram = Histogram()
    assert histogram.percentile(50) == 0
    histogram.add(1000, 98)
    histogram.add(50_000, 2)
    assert histogram.total == 100
    assert histogram.percentile(50) == end_of(bucket_of(1000))
    assert histogram.percentile(99) == end_of(bucket_of(50_000))
    assert histogram.percentile(100) == end_of(bucket_of(50_000))


def test_octaves_are_cumulative_and_skip_what_adds_nothing() -> None:
    histogram = Histogram()
    for nanoseconds in (500, 1023, 1024, 1500, 2047, 2048, 1_000_000):
        histogram.add(nanoseconds, 1)
    assert histogram.octaves() == [(1, 2), (2, 5), (4, 6), (1056, 7)]
