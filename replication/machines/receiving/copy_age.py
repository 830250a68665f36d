"""The age of our copy of a source's data, as the receiving end of a link measures it.

A regular message of the source shows what the source had when it was sent. If we have all of that,
our copy is as old as that message. A message may be late, and after a fault many old ones come
together. So its age counts from the time at which it was sent, and not from its arrival.

That time is estimated, since the clocks of two regions do not agree. Two bounds hold:

* The difference between our clock and the stamp of the source grows by the time that a message is
  late. The smallest difference belongs to the fastest message, which took about half of the
  shortest round trip.
* A message takes no longer than its round trip, less the way there. A clock that stood still
  somewhere cannot make the age too great because of this.
"""

from __future__ import annotations

from replication.machines.endpoint import NEVER


class CopyAge:
    """The age of our copy of one source's data. All times are ns of our monotone clock."""

    def __init__(self, now: int) -> None:
        self.is_covered = False
        """True if we have all that the source has last reported."""
        self.covered_at = now
        """The arrival of the latest report of which we have all."""
        self.current_at = now
        """The time at which that report was sent."""
        self.sent_at = now
        """The time at which the latest report was sent; `arrived_at` is when it came."""
        self.arrived_at = now
        self.least = NEVER
        """The smallest difference between our clock and the stamp of a report at its arrival."""

    def record_report(self, stamp: int, trip: int | None, rtt_best: int, now: int) -> None:
        """Record that a report with this `stamp` has come. `trip` is its round trip, or None."""
        self.least = min(self.least, now - stamp)
        travel = rtt_best // 2 + now - stamp - self.least
        if trip is not None:
            travel = min(travel, trip - rtt_best // 2)
        elif not rtt_best:
            travel = now - self.sent_at  # it may have left as soon as the connection was made
        self.sent_at = max(self.sent_at, now - travel)
        self.arrived_at = now
        self.is_covered = False

    def record_covered(self) -> None:
        """Record that we have all of the latest report."""
        self.is_covered = True
        self.covered_at = self.arrived_at
        self.current_at = self.sent_at

    def age_ns(self, now: int, pause_max: int) -> int:
        """Return the age of our copy. Between two reports, which are at most `pause_max` apart, it
        is the time that the latest one took, if we have all of it."""
        if self.is_covered and now - self.arrived_at <= pause_max:
            return self.arrived_at - self.sent_at
        return now - self.current_at
