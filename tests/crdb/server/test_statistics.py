"""Counters and rates."""

from __future__ import annotations

import pytest

from crdb.server.statistics import ERROR_CODES_MAX, SAMPLES, Rate, Statistics


def test_a_rate_is_the_average_of_the_last_samples() -> None:
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


def test_errors_are_counted_by_code_up_to_a_bound() -> None:
    statistics = Statistics()
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
    statistics = Statistics()
    statistics.commands = 7
    statistics.sample(1000)
    statistics.count_error(b"ERR one")
    statistics.clear()
    assert (statistics.commands, statistics.errors, statistics.error_replies) == (0, {}, 0)
    assert statistics.command_rate.last == 0


def batch(statistics: Statistics, *numbers: int, spent: int) -> None:
    """A batch of commands has been carried out."""
    statistics.ran.clear()
    for number in numbers:
        statistics.note(number)
    statistics.settle()
    statistics.charge(spent)


def test_a_batch_of_one_kind_is_charged_with_all_its_time() -> None:
    statistics = Statistics()
    batch(statistics, 7, spent=500)
    batch(statistics, 7, 7, 7, spent=600)
    batch(statistics, 9, 9, spent=100)
    assert (statistics.spent[7], statistics.spent[9]) == (500 + 600, 100)
    assert (statistics.calls[7], statistics.calls[9]) == (4, 2)


def test_a_mixed_batch_shares_its_time_by_number() -> None:
    statistics = Statistics()
    batch(statistics, 7, 9, 9, 7, 7, 7, 7, 9, spent=800)
    assert (statistics.spent[7], statistics.spent[9]) == (500, 300)
    batch(statistics, 7, spent=50)
    assert statistics.spent[7] == 550


def test_a_batch_in_which_nothing_ran_costs_nobody_anything() -> None:
    statistics = Statistics()
    batch(statistics, 7, spent=100)
    batch(statistics, spent=90_000)
    assert statistics.spent[7] == 100


def test_what_ran_before_the_counters_start_again_is_forgotten() -> None:
    statistics = Statistics()
    statistics.note(7)
    statistics.clear()
    statistics.settle()
    statistics.charge(1_000_000)
    assert (statistics.calls[7], statistics.spent[7]) == (0, 0)
