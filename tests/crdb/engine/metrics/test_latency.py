"""The latency monitor."""

from __future__ import annotations

from crdb.engine.metrics.latency import SAMPLES_MAX, LatencyMonitor


def test_nothing_is_kept_until_there_is_threshold() -> None:
    monitor = LatencyMonitor()
    monitor.offer("command", 10, 500)
    assert monitor.events == {}
    monitor.threshold_ms = 100
    monitor.offer("command", 10, 99)
    monitor.offer("command", 10, 100)
    assert list(monitor.events["command"].samples) == [(10, 100)]


def test_of_one_second_longest_is_kept() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for at, milliseconds in ((10, 5), (10, 9), (10, 7), (11, 3)):
        monitor.offer("command", at, milliseconds)
    event = monitor.events["command"]
    assert (list(event.samples), event.longest_ms) == ([(10, 9), (11, 3)], 9)


def test_latest_samples_are_kept() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for at in range(SAMPLES_MAX + 5):
        monitor.offer("command", at, 2)
    assert len(monitor.events["command"].samples) == SAMPLES_MAX
    assert monitor.events["command"].samples[0] == (5, 2)


def test_events_are_forgotten_by_name_or_all() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for name in ("command", "fast-command"):
        monitor.offer(name, 1, 2)
    assert monitor.reset(["command", "command", "none"]) == 1
    assert list(monitor.events) == ["fast-command"]
    assert monitor.reset([]) == 1
    assert monitor.events == {}
