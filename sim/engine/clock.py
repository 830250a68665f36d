"""Wall clocks as regions have them: wrong by an offset, drifting, and now and then stepped.

The engine's time is the truth and the monotone clock of every region. A wall clock shows
milliseconds; it may jump both ways. Replicas stamp writes with it and must bear all of that (design
section 3: one region's wrong clock harms the registers that it wrote, and nothing else).
"""

from __future__ import annotations

from typing import Final

from sim.engine.events import MS

EPOCH_MS: Final = 1_700_000_000_000
"""What a right clock shows when a simulation begins: it looks like a date to whoever reads it."""
MILLION: Final = 1_000_000


class WallClock:
    """A region's clock. `stopped` holds it still; it is a time in ms then. A clock with a coarse
    `tick_ms` shows multiples of that only, so that writes in several regions have equal stamps."""

    __slots__ = ("drift_ppm", "offset_ms", "since", "stopped", "tick_ms")

    def __init__(self, offset_ms: int = 0, drift_ppm: int = 0) -> None:
        self.offset_ms = offset_ms
        self.drift_ppm = drift_ppm
        self.since = 0
        self.stopped: int | None = None
        self.tick_ms = 1

    def read_ms(self, now: int) -> int:
        """Return the time shown, in ms, when the engine's time is `now` ns."""
        if self.stopped is not None:
            return self.stopped
        drifted = (now - self.since) * self.drift_ppm // MILLION
        shown = EPOCH_MS + self.offset_ms + (now + drifted) // MS
        return shown - shown % self.tick_ms

    def step_by(self, ms: int) -> None:
        """Jump ahead by `ms`, or back if that is negative."""
        self.offset_ms += ms
        if self.stopped is not None:
            self.stopped += ms

    def set_drift(self, ppm: int, now: int) -> None:
        """From `now` on, run fast by `ppm` millionths, or slow if that is negative."""
        self.offset_ms += (now - self.since) * self.drift_ppm // MILLION // MS
        self.drift_ppm = ppm
        self.since = now

    def stop_at(self, ms: int | None) -> None:
        """Stand still at `ms`; None lets it run again."""
        self.stopped = ms
