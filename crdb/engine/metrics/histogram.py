"""Durations counted in buckets, for LATENCY HISTOGRAM and the percentiles of INFO latencystats.

A bucket holds durations that agree in their first four binary digits, so a percentile is exact to
one eighth. The largest bucket is for everything above two hours.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

SUB_BITS: Final = 3
SUBS: Final = 1 << SUB_BITS
"""Buckets for each power of two."""
BUCKETS: Final = 41 * SUBS
FIRST_OCTAVE: Final = 10
"""LATENCY HISTOGRAM reports powers of two from 2^10 ns on, named by microseconds."""
OCTAVE_SCALE: Final = 1.032
"""Redis names an octave by the largest duration that shares a bucket of its own with 2^n ns."""


class Histogram:
    """A count of durations."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: list[int] = [0] * BUCKETS
        self.total = 0

    def add(self, nanoseconds: i64, count: int) -> None:
        """Count a duration `count` times."""
        self.counts[bucket_of(nanoseconds)] += count
        self.total += count

    def percentile(self, percent: float) -> int:
        """Return a duration in nanoseconds that `percent` of all do not exceed."""
        wanted = self.total * percent / 100
        seen = 0
        for bucket, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return end_of(bucket)
        return 0

    def octaves(self) -> list[tuple[int, int]]:
        """Return pairs of a duration in microseconds and how many were not longer, by powers of
        two, those left out that add nothing."""
        pairs: list[tuple[int, int]] = []
        seen = 0
        for octave in range(FIRST_OCTAVE, BUCKETS // SUBS + SUB_BITS):
            first = 0 if octave == FIRST_OCTAVE else (octave - SUB_BITS) * SUBS
            count = sum(self.counts[first : (octave - SUB_BITS + 1) * SUBS])
            if count:
                seen += count
                pairs.append((int(OCTAVE_SCALE * (1 << (octave - FIRST_OCTAVE))), seen))
        return pairs


def bucket_of(nanoseconds: i64) -> i64:
    """Return the number of the bucket that a duration belongs to."""
    if nanoseconds < SUBS:
        return max(nanoseconds, 0)
    shift: i64 = 0
    while nanoseconds >> shift >= 2 * SUBS:
        shift += 1
    return min((shift << SUB_BITS) + (nanoseconds >> shift), BUCKETS - 1)


def end_of(bucket: int) -> int:
    """Return the longest duration of a bucket, in nanoseconds."""
    if bucket < SUBS:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    return ((bucket & (SUBS - 1) | SUBS) + 1 << shift) - 1
