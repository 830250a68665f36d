"""The distance of our peers' wall clocks from ours, as their regular messages show it.

A wrong clock loses nothing here, but keys expire early or late where it is wrong, and its region's
writes win or lose against concurrent ones without a right to. So a great difference is reported:
once when it begins and once when it is over, however often it is measured.
"""

from __future__ import annotations

from typing import Final

SKEW_MS_MAX: Final = 2000  # more than a clock is wrong that anything keeps right
MS: Final = 1_000_000


class Skews:
    """The differences of all peers, in ms: positive where the peer's clock is ahead of ours."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.great: set[str] = set()
        """Those whose difference is great and was reported."""
        self.reports: int = 0
        """The number of times a great difference has begun."""

    def record(self, peer: str, theirs_ms: int, ours_ms: int, rtt_ns: int) -> bool:
        """Record what a peer's clock showed when it sent what has just come; True if that is to be
        reported. What may be the time under way does not count as a difference."""
        if not theirs_ms:
            return False
        late = theirs_ms - ours_ms
        trip = rtt_ns // MS
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
