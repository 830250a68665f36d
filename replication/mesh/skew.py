"""Measure how far the wall clocks of our peers differ from ours, from their regular messages.

A message contains the time at which it was sent. It was under way for at most the round trip of its
exchange. As in NTP the error bound is half of that, so samples of slow exchanges are discarded: a
busy host or a full link would look like a wrong clock.

A wrong clock loses no data. But keys expire early or late in its region, and its writes win or lose
wrongly against concurrent ones. So a large difference is reported once when it begins and once when
it is over, however often it is measured.
"""

from __future__ import annotations

from typing import Final

SKEW_MS_MAX: Final = 2000  # far more than the error of a clock that NTP adjusts
TRIP_MS_MAX: Final = 2000  # so the error is at most half of what is reported
MS: Final = 1_000_000


class Skews:
    """The differences of all peers, in ms: positive where the peer's clock is ahead of ours."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.great: set[str] = set()
        """Peers whose difference is large and was reported."""
        self.reports: int = 0
        """The number of times that a large difference has begun."""

    def record(self, peer: str, theirs_ms: int, ours_ms: int, trip_ns: int | None) -> bool:
        """Record the clock of a peer in a message that has just come. Return whether to report it.

        The part of the difference that the transmission may explain is not counted.

        `trip_ns` is the round trip of this very exchange. If it is not known, or long, the sample
        is discarded.
        """
        if not theirs_ms or trip_ns is None or trip_ns > TRIP_MS_MAX * MS:
            return False
        late = theirs_ms - ours_ms
        trip = -(-trip_ns // MS)
        # It was sent at most a round trip ago, so it is ahead by `late` to `late + trip`.
        skew = late if late > 0 else min(0, late + trip)
        self.of[peer] = skew
        if abs(skew) > SKEW_MS_MAX and peer not in self.great:
            self.great.add(peer)
            self.reports += 1
            return True
        if abs(skew) <= SKEW_MS_MAX // 2 and peer in self.great:
            self.great.discard(peer)
            return True
        return False

    @property
    def greatest(self) -> int:
        """The difference that is furthest from zero, in ms."""
        return max(self.of.values(), key=abs, default=0)
