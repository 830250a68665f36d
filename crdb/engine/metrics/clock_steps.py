"""Detection of steps of the wall clock: it jumps, and the monotonic clock does not."""

from __future__ import annotations

from crdt.store.keyspace import CLOCK_SLACK_MS


class ClockSteps:
    """The steps of one wall clock, in ms. A machine that has slept counts as a step ahead."""

    __slots__ = ("ahead_ms", "count", "is_known", "last_ms")

    def __init__(self) -> None:
        self.ahead_ms: int = 0
        """The wall clock minus the monotonic one."""
        self.is_known: bool = False
        self.count: int = 0
        """The number of times it was set by more than `CLOCK_SLACK_MS`."""
        self.last_ms: int = 0
        """The size of the last step; negative if the clock was set back."""

    def record(self, now: int, wall: int) -> bool:
        """Record both clocks. Return whether the wall clock was set since the last call."""
        step = wall - now - self.ahead_ms
        self.ahead_ms += step
        if -CLOCK_SLACK_MS <= step <= CLOCK_SLACK_MS or not self.is_known:
            self.is_known = True
            return False
        self.count += 1
        self.last_ms = step
        return True
