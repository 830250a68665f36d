"""Frames with an impossible length."""

from __future__ import annotations

import pytest

from replication.machines.connections.frame_speed import (
    FRAME_NS_MAX,
    MEASURED_NS,
    PAUSE_NS_MAX,
    FrameSpeed,
)
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.limits import MS, SECOND


def ends_after(missing: int, *, size: int, pause_ns: int) -> int:
    """Return the time (ns) after which a frame times out whose parts of `size` bytes come with
    pauses. Return 0 if it is complete before."""
    speed, now = FrameSpeed(), 1
    while missing > 0:
        missing -= size
        try:
            speed.record_part(size, max(0, missing), now)
        except RemoteProtocolError:
            return now
        now += pause_ns
    return 0


def test_damaged_length_on_idle_link_ends_soon() -> None:
    """A link with heartbeats alone once waited for up to a minute."""
    ended = ends_after(1 << 21, size=80, pause_ns=200 * MS)
    assert MEASURED_NS <= ended <= MEASURED_NS + SECOND


@pytest.mark.parametrize("rate", [500, 1_000, 5_000])
def test_slow_link_may_take_its_time(rate: int) -> None:
    """A source sends at most 4 KiB in one frame before it knows the speed of the link."""
    assert ends_after(4 << 10, size=rate // 10, pause_ns=100 * MS) == 0


def test_largest_frame_on_link_that_became_slow() -> None:
    assert ends_after(256 << 10, size=1_000, pause_ns=100 * MS) == 0
    assert ends_after(256 << 10, size=500, pause_ns=100 * MS) > 0


def test_long_pause_of_this_process_does_not_count() -> None:
    speed = FrameSpeed()
    speed.record_part(100, 4_000, 1)
    speed.record_part(100, 3_900, 60 * SECOND)
    assert speed.lasted_ns == PAUSE_NS_MAX


def test_next_frame_begins_again() -> None:
    speed = FrameSpeed()
    for second in range(5):
        speed.record_part(10, 1000, second * SECOND)
    speed.record_end(5 * SECOND)
    speed.record_part(10, 1_000_000, 11 * SECOND)
    for second in range(12, 16):
        speed.record_part(10, 1_000_000, second * SECOND)
    with pytest.raises(RemoteProtocolError, match="1000000 more bytes of one frame would take 83"):
        speed.record_part(10, 1_000_000, 16 * SECOND)


def test_unknown_length_is_waited_for() -> None:
    speed = FrameSpeed()
    for second in range(20):
        speed.record_part(1, 0, second * SECOND)
    assert speed.lasted_ns > MEASURED_NS
    assert FRAME_NS_MAX > MEASURED_NS
