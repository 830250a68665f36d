"""Counters and rates."""

from __future__ import annotations

import pytest

from crdb.engine.metrics.statistics import (
    ERROR_CODES_MAX,
    SAMPLE_MS,
    SAMPLES,
    Rate,
    ServerStatistics,
)


def test_rate_is_average_of_last_samples() -> None:
    rate = Rate()
    assert rate.per_second == 0
    rate.sample(0, 1000)
    assert rate.per_second == 0
    rate.sample(50, 1100)
    assert rate.per_second == pytest.approx(500)
    rate.sample(50, 1100)
    assert len(rate.samples) == 1
    for step in range(1, 40):
        rate.sample(50 + step, 1100 + step * 100)
    assert len(rate.samples) == SAMPLES
    assert rate.per_second == pytest.approx(10)


def test_longer_sample_counts_for_its_time() -> None:
    rate = Rate()
    rate.sample(0, 1000)
    rate.sample(100, 1000 + 4 * SAMPLE_MS)
    rate.sample(100, 1000 + 5 * SAMPLE_MS)
    assert rate.per_second == pytest.approx(100 / 0.5)


def test_errors_are_counted_by_code_up_to_bound() -> None:
    statistics = ServerStatistics()
    statistics.count_error(b"ERR one")
    statistics.count_error(b"ERR two")
    assert statistics.errors == {b"ERR": 2}
    for number in range(ERROR_CODES_MAX + 10):
        statistics.count_error(b"CODE%d x" % number)
    statistics.count_error(b"ERR three")
    assert len(statistics.errors) == ERROR_CODES_MAX
    assert statistics.errors[b"ERR"] == 3
    assert statistics.error_replies == ERROR_CODES_MAX + 13


def test_they_can_start_again() -> None:
    statistics = ServerStatistics()
    statistics.count_calls(3, 7, 0.5)
    statistics.sample(1000)
    assert statistics.commands == statistics.command_rate.last == 7
    statistics.count_error(b"ERR one")
    statistics.clear()
    assert (statistics.commands, statistics.errors, statistics.error_replies) == (0, {}, 0)
    assert statistics.command_rate.last == 0


def test_calls_and_their_time_add_up() -> None:
    statistics = ServerStatistics()
    statistics.count_calls(7, 1, 0.5)
    statistics.count_calls(7, 3, 0.25)
    assert (statistics.calls[7], statistics.spent[7]) == (4, 0.75)


def test_histogram_counts_mean_of_calls_counted_together() -> None:
    statistics = ServerStatistics()
    statistics.count_calls(7, 4, 4e-6)
    statistics.count_calls(7, 1, 3e-6)
    histogram = statistics.histograms[7]
    assert histogram is not None
    assert histogram.octaves() == [(1, 4), (4, 5)]


def test_histograms_are_not_kept_without_latency_tracking() -> None:
    statistics = ServerStatistics()
    statistics.tracks_latency = False
    statistics.count_calls(7, 4, 4e-6)
    assert not any(statistics.histograms)
    assert statistics.calls[7] == 4
