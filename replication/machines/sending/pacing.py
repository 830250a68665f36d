"""The window of a source: about as much under way to one sink as arrives in half a second.

The window grows while what is sent arrives quickly, and shrinks when it takes long. So a heartbeat
or an acknowledgement never queues for long behind data, whatever the link carries: 5 kB/s or
50 MB/s.

The source measures the duration of a *round*: from one acknowledgement until all that was under way
then has been acknowledged. The number of bytes and the time give the rate at which the link
delivers. The window is that rate, times the sum of the round trip of an empty link and `TARGET_NS`:
BBR's model (Cardwell et al., *BBR: Congestion-Based Congestion Control*, 2016) without its probing.

The time of a round is measured twice: between the arrivals of its acknowledgements, and between the
times at which the sink has sent them. The longer one counts. Acknowledgements that have queued
behind data of the other direction arrive together (*ACK compression*: Zhang, Shenker and Clark,
*Observations on the Dynamics of a Congestion Control Algorithm*, 1991), and the time between their
arrivals would show a rate that the link does not have.

A window that was never full shows nothing about the link, so it does not grow. It shrinks only if a
round takes twice that long, since acknowledgements also queue, behind data of the other direction.

TCP has a window too, but it fills all buffers of the path: minutes of data on a slow link.
"""

from __future__ import annotations

from typing import Final

from replication.protocol.limits import MS, SECOND, Limits

FIRST_BYTES: Final = 16 << 10  # of a new connection: three seconds at 5 kB/s
LEAST_BYTES: Final = 1 << 10  #  two seconds at 500 B/s, the slowest link that we care for
BATCH_BYTES_LEAST: Final = 256
TARGET_NS: Final = 500 * MS
SILENCE_PART: Final = 8  # the target is at most this part of the time after which silence ends it
GROWTH_MAX: Final = 4  # in one round


class Pace:
    """The window of one source, kept from one connection with its peer to the next."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.window_bytes = min(FIRST_BYTES, limits.window_bytes_max)
        self.target_ns = min(TARGET_NS, limits.silence_ns_max // SILENCE_PART)
        self.rate = 0
        """Bytes a second in the latest round that filled the window or was late; 0 before it."""
        self.is_answered = False
        """True if the sink has acknowledged data on this connection."""
        self.was_full = False
        """True if the window was full at some time of this round."""
        self.began_at = -1
        """The time at which the round began; -1 while none is under way."""
        self.began_stamp = 0
        """The time at which the sink sent the acknowledgement then, by its own clock."""
        self.began_with = 0
        """The bytes that were acknowledged then."""
        self.ends_with = 0
        """The bytes that were sent then."""

    def begin(self) -> None:
        """Start with a new connection: carefully, even if an earlier one was fast. If that ended
        before any of a full window was acknowledged, the window was too large for the link."""
        if self.was_full and not self.is_answered:
            self.window_bytes = max(self.least_bytes, self.window_bytes // GROWTH_MAX)
        self.window_bytes = min(FIRST_BYTES, self.limits.window_bytes_max, self.window_bytes)
        self.is_answered = False
        self.began_at = -1
        self.was_full = False

    @property
    def least_bytes(self) -> int:
        """The size to which the window may shrink."""
        return min(LEAST_BYTES, self.window_bytes)

    @property
    def batch_bytes(self) -> int:
        """The size of one batch: a quarter of the window, and a power of two, so that links that
        are about equally fast can share batches."""
        size = max(BATCH_BYTES_LEAST, self.window_bytes // 4)
        return min(self.limits.batch_bytes_max, 1 << size.bit_length() - 1)

    def sent(self, in_flight: int) -> None:
        """Record that `in_flight` bytes are under way now."""
        if in_flight >= self.window_bytes:
            self.was_full = True

    def acknowledged(self, acked: int, sent: int, now: int, stamp: int, rtt_best: int) -> None:
        """Record that of `sent` bytes `acked` are acknowledged. The sink sent the
        acknowledgement at `stamp` (ns of its own monotone clock). `rtt_best` is the shortest round
        trip so far, in nanoseconds."""
        self.is_answered = acked > 0
        if self.began_at >= 0:
            is_idle = self.ends_with == self.began_with
            lasted = max(now - self.began_at, stamp - self.began_stamp)
            if acked < self.ends_with and lasted < self.late_ns(rtt_best):
                return
            if lasted > 0 and acked > self.began_with:
                self.end_round(acked - self.began_with, lasted, rtt_best, is_idle)
        is_busy = sent > acked or self.was_full
        self.was_full = sent - acked >= self.window_bytes
        self.began_at = now if is_busy else -1
        self.began_stamp = stamp
        self.began_with, self.ends_with = acked, sent

    def late_ns(self, rtt_best: int) -> int:
        """Return how long a round may last until the window must shrink."""
        return 2 * (self.target_ns + rtt_best + self.limits.ack_ns)

    def end_round(self, size: int, lasted: int, rtt_best: int, began_idle: bool) -> None:
        """Set the window by what arrived in a round. One that `began_idle`, with nothing under way,
        may have been long because nothing was sent."""
        wanted = size * (self.target_ns + rtt_best) // lasted
        is_late = not began_idle and lasted >= self.late_ns(rtt_best)
        if self.was_full or is_late:
            self.rate = size * SECOND // lasted
        if is_late:
            self.window_bytes = max(min(wanted, self.window_bytes), self.least_bytes)
        elif self.was_full and wanted > self.window_bytes:
            wanted = min(wanted, GROWTH_MAX * self.window_bytes)
            self.window_bytes = min(wanted, self.limits.window_bytes_max)
