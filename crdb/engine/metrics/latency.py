"""The latency monitor: events that took longer than a threshold, by kind and time.

An event holds its latest samples, at most one for each second: the longest of that second. There
are two events: `command`, and `fast-command` for a command that has the flag `fast`.
"""

from __future__ import annotations

from collections import deque
from typing import Final

SAMPLES_MAX: Final = 160


class LatencyEvent:
    """The samples of one event: wall clock in seconds, and milliseconds."""

    def __init__(self) -> None:
        self.samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES_MAX)
        self.longest_ms = 0

    def add(self, at: int, milliseconds: int) -> None:
        """Keep a sample; of one second the longest."""
        self.longest_ms = max(self.longest_ms, milliseconds)
        if self.samples and self.samples[-1][0] == at:
            milliseconds = max(milliseconds, self.samples.pop()[1])
        self.samples.append((at, milliseconds))


class LatencyMonitor:
    """All events by name. A threshold of 0 switches the monitor off."""

    def __init__(self) -> None:
        self.threshold_ms = 0
        self.events: dict[str, LatencyEvent] = {}

    def offer(self, name: str, at: int, milliseconds: int) -> None:
        """Keep a sample if it is long enough."""
        if self.threshold_ms and milliseconds >= self.threshold_ms:
            self.events.setdefault(name, LatencyEvent()).add(at, milliseconds)

    def reset(self, names: list[str]) -> int:
        """Forget some events, or all if none is named. Return how many were forgotten."""
        doomed = [name for name in (names or list(self.events)) if name in self.events]
        for name in dict.fromkeys(doomed):
            del self.events[name]
        return len(set(doomed))
