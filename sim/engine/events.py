"""The event engine: a heap of actions and their times, and the virtual time that it has reached.

Time is an integer, nanoseconds. Actions that are due at the same time run in the order in which
they were scheduled, so nothing depends on addresses or hashes. The engine has no threads, tasks or
cancellation: an action checks whether it is still wanted when it runs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND

Action = Callable[[], None]


class Engine:
    """A virtual clock that jumps from event to event."""

    __slots__ = ("events", "heap", "interruption", "now", "sequence")

    def __init__(self) -> None:
        self.now = 0
        self.sequence = 0
        self.events = 0
        """The number of events that have happened."""
        self.heap: list[tuple[int, int, Action]] = []
        self.interruption: BaseException | None = None

    def interrupt(self, error: BaseException) -> None:
        """Let `run_until` raise `error` before the next event. A signal handler may call this."""
        self.interruption = error

    def at(self, time: int, action: Action) -> None:
        """Schedule `action` for `time`, or for now if that has passed. O(log n)."""
        if time < self.now:
            time = self.now
        self.sequence += 1
        heapq.heappush(self.heap, (time, self.sequence, action))

    def schedule_after(self, delay: int, action: Action) -> None:
        """Schedule `action` in `delay` nanoseconds."""
        self.at(self.now + delay, action)

    def step(self) -> bool:
        """Run the next event. Return False if the queue is empty."""
        if not self.heap:
            return False
        self.now, _, action = heapq.heappop(self.heap)
        self.events += 1
        action()
        return True

    def run_until(self, time: int) -> None:
        """Run all events that are due at `time` or before, and advance the clock to `time`."""
        heap = self.heap
        pop = heapq.heappop
        while heap and heap[0][0] <= time:
            if self.interruption is not None:
                error, self.interruption = self.interruption, None
                raise error
            self.now, _, action = pop(heap)
            self.events += 1
            action()
        self.now = max(self.now, time)
