"""The distance of our peers' wall clocks from ours, as their regular messages show it.

A message shows the time at which it was sent, and we know only that it was under way for no longer
than the round trip of its exchange. As in NTP the error bound is half of that, so a slow exchange
is not used: a busy host or a full link would look like a wrong clock.

A wrong clock loses nothing here, but keys expire early or late where it is wrong, and its region's
writes win or lose against concurrent ones without a right to. So a great difference is reported:
once when it begins and once when it is over, however often it is measured.
"""

from __future__ import annotations

from typing import Final

SKEW_MS_MAX: Final = 2000  # more than a clock is wrong that anything keeps right
TRIP_MS_MAX: Final = 2000  # the error is at most half of this, and so of what is reported
MS: Final = 1_000_000


class Skews:
    """The differences of all peers, in ms: positive where the peer's clock is ahead of ours."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.great: set[str] = set()
        """Those whose difference is great and was reported."""
        self.reports: int = 0
        """The number of times a great difference has begun."""

    def record(self, peer: str, theirs_ms: int, ours_ms: int, trip_ns: int | None) -> bool:
        """Record what a peer's clock showed when it sent what has just come; True if that is to be
        reported. What may be the time under way does not count as a difference.

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
