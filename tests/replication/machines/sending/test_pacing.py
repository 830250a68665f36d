"""The window follows the rate at which a link delivers, up and down, and keeps its bounds."""

from __future__ import annotations

import pytest

from replication.machines.sending.pacing import (
    BATCH_BYTES_LEAST,
    FIRST_BYTES,
    LEAST_BYTES,
    TARGET_NS,
    Pace,
)
from replication.protocol.limits import MS, SECOND, Limits

RTT = 40 * MS


class Pipe:
    """A link of so many bytes a second, and a source that always has something to send."""

    def __init__(self, rate: int, pace: Pace) -> None:
        self.rate = rate
        self.pace = pace
        self.now = 0
        self.given = 0
        self.taken = 0

    def fill(self) -> None:
        """Send until the window is full."""
        while self.given - self.taken < self.pace.window_bytes:
            self.given += self.pace.batch_bytes
            self.pace.sent(self.given - self.taken)

    def run(self, seconds: float) -> None:
        """Let time pass. An acknowledgement comes each round trip."""
        end = self.now + round(seconds * SECOND)
        while self.now < end:
            self.fill()
            self.now += RTT
            self.taken = min(self.given, self.taken + self.rate * RTT // SECOND)
            self.pace.acknowledged(self.taken, self.given, self.now, self.now - RTT // 2, RTT)

    @property
    def queue_seconds(self) -> float:
        """Return the time until everything in transit has arrived."""
        return (self.given - self.taken) / self.rate


@pytest.mark.parametrize("rate", [5_000, 20_000, 1_000_000, 20_000_000])
def test_bytes_in_transit_arrive_within_target(rate: int) -> None:
    pipe = Pipe(rate, Pace(Limits()))
    pipe.run(30)
    assert 0.2 < pipe.queue_seconds < 1.2
    assert pipe.pace.batch_bytes <= pipe.pace.window_bytes // 4
    assert abs(pipe.pace.rate - rate) < rate // 3


def test_window_grows_to_its_bound_on_fast_link() -> None:
    limits = Limits()
    pace = Pace(limits)
    assert pace.window_bytes == FIRST_BYTES
    Pipe(1 << 32, pace).run(2)
    assert pace.window_bytes == limits.window_bytes_max
    assert pace.batch_bytes == limits.batch_bytes_max


def test_window_shrinks_when_link_slows_down() -> None:
    pipe = Pipe(1_000_000, Pace(Limits()))
    pipe.run(10)
    assert pipe.pace.window_bytes > 300_000
    pipe.rate = 10_000
    pipe.run(120)
    assert pipe.pace.window_bytes < 20_000


def test_window_that_is_never_full_does_not_grow() -> None:
    pace = Pace(Limits())
    for number in range(1, 100):
        pace.sent(100)
        pace.acknowledged(number * 100, number * 100, number * RTT, number * RTT, RTT)
    assert pace.window_bytes == FIRST_BYTES
    assert pace.rate == 0


def test_idle_time_does_not_shrink_window() -> None:
    pace = Pace(Limits())
    pace.sent(FIRST_BYTES)
    pace.acknowledged(FIRST_BYTES, FIRST_BYTES, RTT, RTT, RTT)
    pace.sent(100)
    pace.acknowledged(FIRST_BYTES + 100, FIRST_BYTES + 100, 60 * SECOND, 60 * SECOND, RTT)
    assert pace.window_bytes == FIRST_BYTES


def test_window_keeps_least_size() -> None:
    pipe = Pipe(100, Pace(Limits()))
    pipe.run(300)
    assert pipe.pace.window_bytes == LEAST_BYTES
    assert pipe.pace.batch_bytes == BATCH_BYTES_LEAST


def test_bounds_of_limits_hold() -> None:
    pace = Pace(Limits(window_bytes_max=1, batch_bytes_max=40))
    assert (pace.window_bytes, pace.batch_bytes) == (1, 40)
    Pipe(100_000, pace).run(1)
    assert (pace.window_bytes, pace.batch_bytes) == (1, 40)


def test_target_is_far_below_silence_that_ends_link() -> None:
    assert Pace(Limits()).target_ns == TARGET_NS
    assert Pace(Limits(silence_ns_max=SECOND)).target_ns == SECOND // 8


def test_new_connection_starts_with_small_window() -> None:
    pace = Pace(Limits())
    Pipe(1 << 30, pace).run(2)
    pace.begin()
    assert pace.window_bytes == FIRST_BYTES
    Pipe(100, pace).run(300)
    pace.begin()
    assert pace.window_bytes == LEAST_BYTES


def test_window_shrinks_if_connection_ends_before_first_ack_of_data() -> None:
    pace = Pace(Limits())
    sizes: list[int] = []
    for _ in range(4):
        pace.sent(pace.window_bytes)
        pace.acknowledged(0, pace.window_bytes, RTT, RTT, RTT)
        pace.begin()
        sizes.append(pace.window_bytes)
    assert sizes == [FIRST_BYTES // 4, LEAST_BYTES, LEAST_BYTES, LEAST_BYTES]


def test_window_is_kept_if_connection_ends_after_ack_or_before_window_is_full() -> None:
    pace = Pace(Limits())
    pace.sent(FIRST_BYTES)
    pace.acknowledged(1, FIRST_BYTES, RTT, RTT, RTT)
    pace.begin()
    assert pace.window_bytes == FIRST_BYTES
    pace.sent(FIRST_BYTES - 1)
    pace.begin()
    assert pace.window_bytes == FIRST_BYTES


def test_time_that_stands_still_is_not_round() -> None:
    pace = Pace(Limits())
    pace.sent(FIRST_BYTES)
    pace.acknowledged(1, FIRST_BYTES, RTT, RTT, RTT)
    pace.acknowledged(FIRST_BYTES, FIRST_BYTES, RTT, RTT, RTT)
    assert pace.window_bytes == FIRST_BYTES


@pytest.mark.parametrize("stamp_start", [0, 1000 * SECOND])
def test_acks_that_queued_do_not_grow_window(stamp_start: int) -> None:
    """The sink gets 10 kB/s. Its acknowledgements arrive a millisecond apart, after they have
    queued behind data of the other direction."""
    pace = Pace(Limits())
    pace.sent(FIRST_BYTES)
    for number in range(1, 9):
        stamp = stamp_start + number * SECOND // 5
        pace.acknowledged(2000 * number, FIRST_BYTES, 2 * SECOND + number * MS, stamp, RTT)
    pace.acknowledged(FIRST_BYTES, FIRST_BYTES, 2 * SECOND + 9 * MS, stamp_start + 2 * SECOND, RTT)
    assert pace.window_bytes < FIRST_BYTES
    assert abs(pace.rate - 10_000) < 1_000


def test_acks_that_sink_sent_together_are_timed_by_arrival() -> None:
    """The sink was paused, and then read everything that had arrived."""
    pace = Pace(Limits())
    pace.sent(FIRST_BYTES)
    pace.acknowledged(2000, FIRST_BYTES, SECOND, SECOND, RTT)
    pace.acknowledged(12_000, FIRST_BYTES, 2 * SECOND, SECOND + 1, RTT)
    pace.acknowledged(FIRST_BYTES, FIRST_BYTES, 2 * SECOND + SECOND // 2, SECOND + 2, RTT)
    assert pace.rate == (FIRST_BYTES - 2000) * 2 // 3


def test_late_round_of_one_large_op_does_not_grow_window() -> None:
    pace = Pace(Limits(window_bytes_max=1))
    pace.sent(1000)
    pace.acknowledged(0, 1000, RTT, RTT, RTT)
    late = RTT + pace.late_ns(RTT)
    pace.acknowledged(1000, 1000, late, late, RTT)
    assert pace.window_bytes == 1
    assert pace.rate > 0
