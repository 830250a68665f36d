"""The counter of uses."""

from __future__ import annotations

import random

from crdb.engine.eviction.frequency import COUNTER_MAX, COUNTER_NEW, Frequency

NOW = 1_700_000_000


def count(uses: int, factor: int) -> int:
    """Return the counter after some uses."""
    frequency = Frequency(random.Random(3))
    frequency.log_factor = factor
    word = frequency.word(COUNTER_NEW, NOW)
    for _ in range(uses):
        word = frequency.used(word, NOW)
    return frequency.counter(word, NOW)


def test_counter_grows_with_logarithm() -> None:
    """The documentation of Redis gives 10, 18, 49 and 142 after 100 to 100,000 uses."""
    found = [count(uses, 10) for uses in (100, 1000, 10_000)]
    assert [
        low <= at <= high
        for at, (low, high) in zip(found, [(8, 13), (15, 23), (42, 57)], strict=True)
    ] == [True] * 3
    assert count(400, 0) == COUNTER_MAX


def test_counter_falls_while_key_is_not_used() -> None:
    frequency = Frequency(random.Random(3))
    word = frequency.word(20, NOW)
    assert [frequency.counter(word, NOW + 60 * n) for n in (0, 1, 19, 25)] == [20, 19, 1, 0]
    frequency.decay_minutes = 10
    assert frequency.counter(word, NOW + 60 * 25) in {17, 18}
    frequency.decay_minutes = 0
    assert frequency.counter(word, NOW + 60 * 25) == 20


def test_use_after_pause_begins_from_what_is_left() -> None:
    frequency = Frequency(random.Random(3))
    word = frequency.used(frequency.word(3, NOW), NOW + 600)
    assert frequency.counter(word, NOW + 600) == 1
