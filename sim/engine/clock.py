"""Wall clocks of regions: with an offset, a drift, and occasional steps.

The engine's time is the correct time and the monotone clock of every region. A wall clock shows
milliseconds and may jump in both directions. Replicas stamp writes with it and have to tolerate
that: the wrong clock of one region may harm only the registers that it wrote.
"""

from __future__ import annotations

from typing import Final

from sim.engine.events import MS

EPOCH_MS: Final = 1_700_000_000_000
"""The time of a correct clock when a simulation begins, chosen to look like a date."""
MILLION: Final = 1_000_000


class WallClock:
    """A region's clock. `stopped` is the time (ms) at which it stands still, or None. A clock with
    a coarse `tick_ms` shows only multiples of that, so writes of several regions have equal
    stamps."""

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
        """Let the clock gain `ppm` millionths from `now` on, or lose them if `ppm` is negative."""
        self.offset_ms += (now - self.since) * self.drift_ppm // MILLION // MS
        self.drift_ppm = ppm
        self.since = now

    def stop_at(self, ms: int | None) -> None:
        """Stand still at `ms`; None lets it run again."""
        self.stopped = ms
